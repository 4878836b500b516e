"""LAND and LOAD as one step: every system's landed files enter raw in one writing session.

Belongs here: landing and raw assets, and what is shown of a load.  Does not belong here: reading extracts.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
import duckdb

from finpipe import ingest
from finpipe.orchestration import specs
from finpipe.orchestration.clock import today
from finpipe.orchestration.company import Company, Intake, loading, step
from finpipe.orchestration.inbox import take_in
from finpipe.orchestration.metadata import measures, table
from finpipe.orchestration.sightings import note_sightings
from finpipe.systems import System
from finpipe.warehouse import STILL_REFUSED, literal, quoted

READ = "every_file_is_read"


def load_assets(systems: dict[str, System]) -> dg.AssetsDefinition:
    """The step that takes the inbox in and loads what is not in the ledger yet."""
    landings = [specs.landing(s) for s in systems.values()]
    raws = [specs.raw(s, t) for s in systems.values() for t in s.tables.values()]
    books = [
        specs.plain(f"ledger.{name}", about, [s.key for s in landings], {"duckdb"})
        for name, about in specs.LEDGER.items()
    ]
    checks = [
        dg.AssetCheckSpec(
            READ, asset=spec.key, description="Each landed file was read; one that was refused says why and how to fix."
        )
        for spec in landings
    ]

    @dg.multi_asset(
        name="load",
        specs=[*landings, *raws, *books],
        check_specs=checks,
        can_subset=True,
        description="Land the inbox, then load every file that the ledger does not know, exactly once. In no pool: it "
        "waits for another load, or for rows being mapped, and never for marts.",
    )
    def load(
        context: dg.AssetExecutionContext, config: Intake, company: dg.ResourceParam[Company]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        home = company.home
        with step():
            described = company.systems
            if config.as_of is None:
                today(home)  # a clock that jumped stops the run before anything lands
            tell = company.teller("load")
            refused = []
            if config.up_to is None:
                refused = [f for f in take_in(home, described, config.settle_seconds) if f.reason]
                note_sightings(home, config.date)
            with loading(home), ingest.open_raw(home) as (connection, repairs):
                told = lambda what, done, of: tell(f"{what} ({done}/{of})")  # noqa: E731
                report = ingest.load(home, connection, described, told, config.admits)
                numbers = measures(connection, [".".join(k.path) for k in context.selected_asset_keys])
                files = _files(connection)
                new = _new_rows(connection, report)
                marks = _watermarks(connection, numbers)
        context.log.info(f"{len(report.files)} new files, {len(report.refused)} of them refused")
        for file in refused:
            tell(f"{file.path.name} was set aside: {file.reason}")
            context.log.warning(f"{file.path.name} was set aside: {file.reason}; {file.fix}")
        counted = {"files_new": len(report.files), "rows_new": report.rows}
        for sentence in (*repairs, *report.repairs, *report.problems):
            tell(sentence)
            context.log.warning(sentence)
        for key in sorted(context.selected_asset_keys):
            name = ".".join(key.path)
            if key.path[0] == "landing":
                yield dg.MaterializeResult(asset_key=key, metadata=_landed(files.get(key.path[1], [])))
            else:
                fresh = {"rows_new": new.get(name, 0)} if key.path[0].startswith("raw_") else counted
                added = {**fresh, **marks.get(name, {})}
                yield dg.MaterializeResult(asset_key=key, metadata={**numbers.get(name, {}), **added})
        for check in sorted(context.selected_asset_check_keys):
            yield _read(check.asset_key, files.get(check.asset_key.path[1], []))

    return load


def _files(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """Files of the ledger by system."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for system, *row in connection.execute(
        "select system, load_seq, original_name, rows, bytes, verdict, reason, fix, epoch(received_at), "
        f"load_seq in (select load_seq from ({STILL_REFUSED})) from ledger.loads order by load_seq"
    ).fetchall():
        found.setdefault(system, []).append(tuple(row))
    return found


def _new_rows(connection: duckdb.DuckDBPyConnection, report: ingest.LoadReport) -> dict[str, int]:
    """Rows that this load added, by raw table."""
    if not report.files:
        return {}
    listed = ", ".join(str(f.load_seq) for f in report.files)
    return dict(
        connection.execute(
            "select 'raw_' || system || '.' || table_name, sum(rows)::bigint from ledger.loaded_tables "
            f"where load_seq in ({listed}) group by 1"
        ).fetchall()
    )


def _watermarks(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """How new each raw table's content is: a load of nothing leaves this as it was."""
    raws = [n for n in names if n.startswith("raw_")]
    if not raws:
        return {}
    each = " union all ".join(
        f"select {literal(n)} as name, epoch(max(_version)) as changed, max(_load_seq) as load_seq "
        f"from {'.'.join(map(quoted, n.split('.')))}"
        for n in raws
    )
    found = connection.execute(
        f"select name, changed, epoch(received_at) from ({each}) left join ledger.loads using (load_seq)"
    ).fetchall()
    return {n: _moments(newest_record_at=changed, last_received_at=received) for n, changed, received in found}


def _moments(**epochs: float | None) -> dict[str, Any]:
    return {name: dg.MetadataValue.timestamp(at) for name, at in epochs.items() if at is not None}


def _landed(files: list[tuple[Any, ...]]) -> dict[str, Any]:
    return {
        **_moments(last_received_at=max((row[7] for row in files), default=None)),
        "files": len(files),
        "bytes": sum(row[3] or 0 for row in files),
        "newest": table(["load_seq", "file", "rows", "bytes", "verdict"], [row[:5] for row in files[::-1]]),
    }


def _read(key: dg.AssetKey, files: list[tuple[Any, ...]]) -> dg.AssetCheckResult:
    refused = [row for row in files if row[8]]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=READ,
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "read": len(files) - len(refused),
            "refused": len(refused),
            "files": table(["file", "reason", "fix"], [(row[1], row[5], row[6]) for row in refused]),
        },
    )
