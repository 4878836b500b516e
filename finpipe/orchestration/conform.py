"""CONFORM as one step: all entities, with the gate's verdicts and the law of conservation as checks.

Belongs here: canonical assets and what is shown of them.  Does not belong here: mapping and gate.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb

from finpipe import ingest, log
from finpipe.conform import conform as conform_stage
from finpipe.contracts import entities
from finpipe.orchestration import specs
from finpipe.orchestration.company import Company, working
from finpipe.orchestration.metadata import measures, table
from finpipe.systems import System
from finpipe.warehouse import connect

GATE = "every_record_passes_the_gate"
ACCOUNTS = specs.key("ledger.row_accounts")
#: A reason without the cells that it quotes: those stay in quarantine, and Dagster's history is no place for them.
_RULES = "regexp_replace(reasons, ' is ''.*'': ', ' is …: ', 's')"


def accounted(system: str) -> str:
    """Name of the check that no row of a system is lost."""
    return f"every_row_of_{system}_is_accounted_for"


def conform_assets(systems: dict[str, System]) -> dg.AssetsDefinition:
    """The step that maps, gates and counts."""
    canonical = [specs.canonical(name, systems) for name in entities()]
    raws = [dg.AssetKey([f"raw_{s.name}", t]) for s in systems.values() for t in s.tables]
    books = [
        specs.plain(name, about, _read_by(name, raws), {"duckdb", "polars"})
        for name, about in specs.CONFORM_TABLES.items()
    ]
    gates = [
        dg.AssetCheckSpec(
            GATE, asset=spec.key, description="No record was refused; refused ones wait in quarantine with reasons."
        )
        for spec in canonical
    ]
    laws = [
        dg.AssetCheckSpec(
            accounted(name),
            asset=ACCOUNTS,
            blocking=True,
            description="Per file: rows read = accepted + superseded + duplicate + quarantined.",
        )
        for name in systems
    ]

    @dg.multi_asset(
        name="conform",
        specs=[*canonical, *books],
        check_specs=[*gates, *laws],
        can_subset=True,
        pool="warehouse",
        description="Map raw records to canonical entities; what a contract refuses goes to quarantine.",
    )
    def conform(
        context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        described = company.systems
        with working(company) as home, connect(home) as connection:
            report = conform_stage(home, connection, described, company.teller("conform"))
            log.note("conform.done", entities=len(report.touched))
            ingest.refresh_row_accounts(connection)
            breaks = ingest.row_account_breaks(connection)
            context.log.info(f"worked on {', '.join(report.touched) or 'nothing: no new files'}")
            numbers = measures(connection, [".".join(k.path) for k in context.selected_asset_keys])
            verdicts = {entity: _gate(connection, entity) for entity in entities()}
            accounts = {name: _accounts(connection, name) for name in described}
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key, metadata=numbers.get(".".join(key.path), {}))
        for check in sorted(context.selected_asset_check_keys):
            if check.name == GATE:
                yield _verdict(check.asset_key, *verdicts[check.asset_key.path[-1]])
        broken = {name: [b for b in breaks if b[1] == name] for name in described}
        for name in described:
            if dg.AssetCheckKey(ACCOUNTS, accounted(name)) in context.selected_asset_check_keys:
                yield _law(name, accounts[name], broken[name])

    return conform


def _read_by(table: str, raws: list[dg.AssetKey]) -> list[dg.AssetKey]:
    """What a table beside the entities follows from."""
    if table.startswith("matching."):
        return [specs.key("canonical.customers"), specs.key("canonical.decisions")]
    return [] if table.startswith("reference.") else raws


def _gate(connection: duckdb.DuckDBPyConnection, entity: str) -> tuple[int, list[tuple[Any, ...]]]:
    """Accepted rows of an entity, and its refused ones by reason."""
    accepted = connection.execute(f"select count(*) from canonical.{entity}").fetchall()[0][0]
    refused = connection.execute(
        f"select system, code, {_RULES}, currency, count(*), sum(amount), min(source_table), min(row_key) "
        "from quarantine.rows where entity = ? group by all order by 5 desc, 1, 2, 3, 4",
        [entity],
    ).fetchall()
    return accepted, refused


def _verdict(key: dg.AssetKey, accepted: int, refused: list[tuple[Any, ...]]) -> dg.AssetCheckResult:
    columns = ["system", "code", "reasons", "currency", "rows", "amount at risk", "table", "first key"]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=GATE,
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "accepted": accepted,
            "quarantined": sum(row[4] for row in refused),
            "reasons": table(columns, refused),
        },
    )


def _accounts(connection: duckdb.DuckDBPyConnection, system: str) -> tuple[Any, ...]:
    """Sums of a system's row accounts."""
    row: tuple[Any, ...] = connection.execute(
        "select coalesce(sum(rows), 0)::bigint, coalesce(sum(accepted), 0)::bigint, "
        "coalesce(sum(superseded), 0)::bigint, coalesce(sum(duplicate), 0)::bigint, "
        "coalesce(sum(quarantined), 0)::bigint from ledger.row_accounts where system = ?",
        [system],
    ).fetchall()[0]
    return row


def _law(system: str, accounts: tuple[Any, ...], broken: list[tuple[Any, ...]]) -> dg.AssetCheckResult:
    names = ("rows", "accepted", "superseded", "duplicate", "quarantined")
    return dg.AssetCheckResult(
        asset_key=ACCOUNTS,
        check_name=accounted(system),
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            **dict(zip(names, accounts, strict=True)),
            "breaks": table(["load_seq", "system", "table", "rows", *names[1:]], broken),
        },
    )
