"""CONFORM as one step: all entities, with the gate's verdicts and the law of conservation as checks.

Belongs here: canonical assets and what is shown of them.  Does not belong here: mapping and gate.
"""

from collections.abc import Iterator, Mapping
from itertools import starmap
from typing import Any

import dagster as dg
import duckdb

from finpipe import ingest, log
from finpipe.conform import conform as conform_stage
from finpipe.contracts import entities
from finpipe.errors import FinpipeError
from finpipe.orchestration import specs
from finpipe.orchestration.aside import must_stand, note_aside, set_aside
from finpipe.orchestration.company import Company, loading, working
from finpipe.orchestration.metadata import measures, table
from finpipe.systems import System, broken_systems

GATE = "every_record_passes_the_gate"
ACCOUNTS = specs.key("ledger.row_accounts")
#: A reason without the cells that it quotes: those stay in quarantine, and Dagster's history is no place for them.
_RULES = "regexp_replace(reasons, ' is ''.*'': ', ' is …: ', 's')"
GOES_ON = "no_system_is_set_aside"


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

    goes_on = dg.AssetCheckSpec(
        GOES_ON,
        asset=ACCOUNTS,
        description="Every system can be read, fetched and mapped; of one that cannot all stands as it was, and the "
        "others go on.",
    )

    @dg.multi_asset(
        name="conform",
        specs=[*canonical, *books],
        check_specs=[*gates, *laws, goes_on],
        can_subset=True,
        pool="warehouse",
        description="Map raw records to canonical entities; what a contract refuses goes to quarantine.",
    )
    def conform(
        context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        described = company.systems
        with working(company) as home, loading(home), ingest.open_warehouse(home) as (connection, repairs):
            broken = broken_systems(home)
            report = conform_stage(home, connection, described, company.teller("conform"), broken)
            note_aside(home, "conform", report.aside)
            must_stand(home, connection, {*broken, *report.aside})
            aside = set_aside(home)
            log.note("conform.done", entities=len(report.touched))
            ingest.refresh_row_accounts(home, connection)
            breaks = ingest.row_account_breaks(connection)
            context.log.info(f"worked on {', '.join(report.touched) or 'nothing: no new files'}")
            numbers = measures(connection, [".".join(k.path) for k in context.selected_asset_keys])
            verdicts = {entity: _gate(connection, entity) for entity in entities()}
            accounts = {name: _accounts(connection, name) for name in systems}
        for key in sorted(context.selected_asset_keys):
            yield dg.MaterializeResult(asset_key=key, metadata=numbers.get(".".join(key.path), {}))
        for check in sorted(context.selected_asset_check_keys):
            if check.name == GATE:
                yield _verdict(check.asset_key, *verdicts[check.asset_key.path[-1]])
        for name in systems:
            if dg.AssetCheckKey(ACCOUNTS, accounted(name)) in context.selected_asset_check_keys:
                yield _law(name, accounts[name], [b for b in breaks if b[1] == name])
        for sentence in (*repairs, *starmap(_left_out, aside.items())):
            context.log.warning(sentence)
        if goes_on.key in context.selected_asset_check_keys:
            yield _aside(aside)

    return conform


def _left_out(name: str, problem: FinpipeError) -> str:
    return f"{name} is set aside: {problem.error} ({problem.where}): {problem.got}"


def _aside(aside: Mapping[str, FinpipeError]) -> dg.AssetCheckResult:
    rows = [(name, p.error, p.where, p.got, p.fix) for name, p in sorted(aside.items())]
    return dg.AssetCheckResult(
        asset_key=ACCOUNTS,
        check_name=GOES_ON,
        passed=not aside,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{name}: {p.error}" for name, p in sorted(aside.items())) or "all systems go on",
        metadata={"set aside": table(["system", "what", "where", "got", "fix"], rows)},
    )


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
