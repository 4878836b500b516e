"""One asset per table: its key, what it reads, who owns it and what it means.

Belongs here: policy over all assets, derived from descriptions, contracts and dbt's kept manifest.
Does not belong here: running anything.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from finpipe.build import Check, Manifest, Model
from finpipe.conform import matching
from finpipe.contracts import columns, entities
from finpipe.systems import Source, System, Table

GROUPS = ("landing", "raw", "ledger", "canonical", "staging", "intermediate", "reconciliation", "marts", "published")
PUBLISHED = dg.AssetKey(["published", "finance"])
#: What published figures would be if they were recomputed, by accounting period.
RESTATED = dg.AssetKey(["published", "period_figures"])
#: What LOAD keeps account of, beside the raw tables.
LEDGER = {
    "loads": "One row per landed file: when it came, what became of it, and its link in the chain of hashes.",
    "loaded_tables": "One row per file and table: rows and control total that the reader saw.",
}
#: What CONFORM writes beside the entities.
CONFORM_TABLES = {
    "ledger.row_accounts": "One row per file and table: rows = accepted + superseded + duplicate + quarantined.",
    "ledger.backfills": "One row per published figure that was restated, and per cause: before, after, who and why.",
    "quarantine.rows": "One row per refused record: every reason, the money at risk, who has to act.",
    "quarantine.fixes": "One row per decision to fix and column: what stood there, what should, and whether it does.",
    "matching.customer_pairs": "One row per pair of customer records that a rule or a person speaks of: joined, "
    "suggested or parted, with score and reason.",
    "reference.currencies": "ISO 4217 currencies and how many decimals each has.",
    "reference.fiscal_periods": "One row per period, quarter and year of the company's own fiscal calendars.",
    "reference.entity_calendars": "One row per entity whose books keep one of these.",
    "reference.policy": "One row: version and owner of the policy in force, and its business hours.",
    "reference.policy_owners": "One row per role that exceptions may name, with the people who have it.",
    "reference.policy_codes": "One row per exception code: severity, owner, business hours to act.",
    "reference.policy_reconciliations": "One row per leg of a reconciliation: sides, measure, tolerance, owner.",
    "reference.policy_thresholds": "One row per currency: from which amount a waiver needs a second person.",
    "reference.policy_severities": "One row per severity: whether a waiver needs a second person whatever the amount.",
    "reference.policy_holidays": "One row per day without business beside Saturdays and Sundays.",
}
#: Owners of stages; systems name their own, and so do models in their meta.
STAGE_OWNERS = {
    "ledger": "data platform",
    "canonical": "data platform",
    "staging": "data platform",
    "intermediate": "data platform",
    "reconciliation": "controller",
    "marts": "controller",
    "published": "data platform",
}
DBT_STAGES = ("staging", "intermediate", "reconciliation", "marts")


def key(table: str) -> dg.AssetKey:
    """``schema.table`` as an asset key."""
    return dg.AssetKey(table.split("."))


def team(owner: str) -> list[str]:
    """An owner as Dagster writes teams."""
    return ["team:" + re.sub(r"[^A-Za-z0-9_.-]+", "_", owner.strip()).lower()]


def landing(system: System) -> dg.AssetSpec:
    """Everything a system ever sent."""
    return dg.AssetSpec(
        dg.AssetKey(["landing", system.name]),
        group_name="landing",
        owners=team(system.owner),
        kinds={"file"},
        description=f"{system.about}\n\nExtracts as they came, by digest; nothing here is ever changed.",
    )


def raw(system: System, table: Table) -> dg.AssetSpec:
    """One table of a system, as text, every version it ever had."""
    name = f"raw_{system.name}.{table.name}"
    identity = " and ".join(f"`{c}`" for c in table.key) or "the content itself"
    return dg.AssetSpec(
        key(name),
        deps=[dg.AssetKey(["landing", system.name])],
        group_name="raw",
        owners=team(system.owner),
        kinds={"dlt", "duckdb"},
        description=f"`{table.name}` of {system.name} as extracted: one row per row of an extract, all text, "
        f"append-only. A record is identified by {identity}.",
        metadata=shape(name, [(c.name, "varchar", _role(table, c)) for c in table.columns]),
    )


def _role(table: Table, column: Source) -> str:
    """What is known of a raw column: its part in the record, and other spellings that it is read from."""
    parts = {
        "Identifies the record.": table.key,
        "Dates the version of the record.": table.version,
        "Marks the record as deleted.": table.deleted,
        "False on rows of mere history.": table.active,
    }
    said = [sentence for sentence, names in parts.items() if column.name in names]
    if others := [f"`{alias}`" for alias in column.aliases if alias != column.name]:
        said.append(f"Read from {' or '.join(others)}.")
    return " ".join(said)


def plain(table: str, about: str, deps: Iterable[dg.AssetKey], kinds: set[str]) -> dg.AssetSpec:
    """A table of our own books: ledger, quarantine, reference."""
    group = "ledger" if table.startswith("ledger.") else "canonical"
    return dg.AssetSpec(
        key(table),
        deps=list(deps),
        group_name=group,
        owners=team(STAGE_OWNERS[group]),
        kinds=kinds,
        description=about,
        metadata=shape(table, matching.COLUMNS) if table == matching.NAME else {"dagster/table_name": table},
    )


def canonical(name: str, systems: dict[str, System]) -> dg.AssetSpec:
    """One entity: what the contract accepted of what the mappings gave."""
    entity = entities()[name]
    described = [(c.name, c.sql_type.lower(), c.description) for c in columns(entity)]
    return dg.AssetSpec(
        key(f"canonical.{name}"),
        deps=sorted(mapped_tables(name, systems)),
        group_name="canonical",
        owners=team(STAGE_OWNERS["canonical"]),
        kinds={"duckdb", "pandera", "polars"},
        description=" ".join((entity.__doc__ or "").split()),
        metadata=shape(f"canonical.{name}", described),
    )


def mapped_tables(entity: str, systems: dict[str, System]) -> set[dg.AssetKey]:
    """Raw tables that the mappings of an entity read, by themselves or through the steps they share."""
    return {
        dg.AssetKey([f"raw_{system.name}", table])
        for system in systems.values()
        if entity in system.mappings
        for table in _tables_behind(system.mappings[entity], system)
    }


def _tables_behind(path: Path, system: System) -> set[str]:
    """Tables that one file names, and those behind each shared step that it names."""
    named = _tables_in(path, frozenset(system.tables) | frozenset(system.shared))
    steps = (system.shared[name] for name in named if name in system.shared and system.shared[name] != path)
    return {name for name in named if name in system.tables}.union(*(_tables_behind(step, system) for step in steps))


@cache
def _tables_in(path: Path, known: frozenset[str]) -> frozenset[str]:
    """Tables named after FROM, JOIN or a comma of a FROM in one mapping."""
    sql = re.sub(r"--[^\n]*", " ", path.read_text(encoding="utf-8")).lower()
    return frozenset(re.findall(r"(?:\bfrom|\bjoin|,)\s+\"?([a-z][a-z0-9_]*)\b(?!\s*[.(])", sql)) & known


def model(model: Model) -> dg.AssetSpec:
    """One dbt model or seed."""
    return dg.AssetSpec(
        key(model.table),
        deps=[key(t) for t in model.reads],
        group_name=stage(model.schema),
        owners=owners(model.schema, model.meta),
        kinds={"dbt", "duckdb", model.kind if model.kind in ("view", "seed") else "table"},
        description=model.about or f"`{model.name}`, as {model.path} derives it.",
        metadata={
            **shape(model.table, [(c["name"], c["type"], c["about"]) for c in model.columns]),
            "code": f"dbt_project/{model.path}",
        },
    )


def stage(schema: str) -> str:
    """The group of a dbt schema."""
    return schema if schema in DBT_STAGES else "marts"


def owners(schema: str, meta: Mapping[str, Any]) -> list[str]:
    """Who answers for a dbt model: whom its meta names, else the stage's owner."""
    return team(str(meta.get("owner", STAGE_OWNERS[stage(schema)])))


def shape(table: str, columns: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """Name of a table, and its columns as name, type and description."""
    return {"dagster/table_name": table, "dagster/column_schema": _schema(columns)}


def lineage(model: Model) -> dict[str, dg.TableColumnLineage]:
    """Column lineage as materialisations carry it."""
    if not model.lineage:
        return {}
    deps = {
        column: [dg.TableColumnDep(key(leaf.rsplit(".", 1)[0]), leaf.rsplit(".", 1)[1]) for leaf in leaves]
        for column, leaves in model.lineage.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def published(manifest: Manifest) -> dg.AssetSpec:
    """The snapshot that readers see."""
    shown = [m.table for m in manifest.models.values() if m.schema in ("marts", "reconciliation")]
    return dg.AssetSpec(
        PUBLISHED,
        deps=[key(t) for t in sorted(shown)],
        group_name="published",
        owners=team(STAGE_OWNERS["published"]),
        kinds={"duckdb", "parquet"},
        description="The whole of marts, reconciliations and canonical tables as one numbered, read-only snapshot. "
        "Readers see the last one whose audit passed, never a half.",
    )


def check(check: Check) -> dg.AssetCheckSpec:
    """One dbt test."""
    return dg.AssetCheckSpec(
        check.name,
        asset=key(check.table),
        additional_deps=[key(t) for t in check.reads],
        description=check.about,
        blocking=check.blocks,
        metadata={"dagster_dbt/unique_id": check.unique_id},
    )


def _schema(described: Iterable[tuple[str, str, str]]) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(n, t or "?", description=about or None) for n, t, about in described])
