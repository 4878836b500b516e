"""The hand-over through dlt: parts become files of a throw-away staging area, counted on both sides.

Belongs here: everything that knows dlt.  Does not belong here: admitting rows.
dlt imports the parquet files as they are (see docs/decisions/0002). Its pipeline folder lives for one batch, because
its state is never the truth: a package pending from an earlier run is wiped or loaded instead of the new data.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finpipe.ingest.extract import Part


@dataclass(frozen=True)
class Staged:
    """All rows of one table in one batch: dlt's parquet files."""

    system: str
    part: Part
    files: tuple[Path, ...]


class StagingError(Exception):
    """dlt moved another number of rows than it was given: nothing of the batch is admitted."""


def stage(parts: Sequence[tuple[str, Part]], folder: Path) -> list[Staged]:
    """Hand parts of (system, part) over through dlt; raises ``StagingError`` when counts differ."""
    filled = [(system, part) for system, part in parts if part.rows]
    if not filled:
        return []
    dlt = quiet_dlt()
    groups: dict[str, list[tuple[str, Part]]] = {}
    for system, part in filled:
        groups.setdefault(f"{system}__{part.table.name}", []).append((system, part))
    pipeline = dlt.pipeline(
        pipeline_name="finpipe",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "bucket").as_uri()),
        dataset_name="staging",
    )
    info = pipeline.run(
        [_resource(dlt, name, [p for _, p in group]) for name, group in groups.items()],
        loader_file_format="parquet",
    )
    info.raise_on_failed_jobs()
    counted = pipeline.last_trace.last_normalize_info.row_counts
    naming = pipeline.default_schema.naming
    return [_staged(folder, naming.normalize_tables_path(name), group, counted) for name, group in groups.items()]


def quiet_dlt() -> Any:
    """Import dlt (0.9 CPU s, so only when there is something to load) with telemetry and its own logging off."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")
    os.environ.setdefault("LOAD__WORKERS", "2")
    os.environ["RESTORE_FROM_DESTINATION"] = "false"
    import dlt  # noqa: PLC0415
    import dlt.destinations  # noqa: PLC0415

    return dlt


def _resource(dlt: Any, name: str, parts: Sequence[Part]) -> Any:
    """A dlt resource that imports the parts' files; as their columns are declared, dlt links and does not rewrite."""
    texts = [f"c{i}" for i in range(len(parts[0].table.columns))]
    columns = {c: {"data_type": "text", "nullable": True} for c in texts}
    columns["_load_seq"] = {"data_type": "bigint", "nullable": True}

    def files() -> Iterator[Any]:
        for part in parts:
            yield dlt.mark.with_file_import(str(part.path), "parquet", part.rows)

    return dlt.resource(files, name=name, columns=columns)


def _staged(folder: Path, table: str, group: Sequence[tuple[str, Part]], counted: dict[str, int]) -> Staged:
    """Find what dlt staged of a table and compare the counts."""
    expected = sum(part.rows for _, part in group)
    files = tuple(sorted((folder / "bucket" / "staging" / table).glob("*.parquet")))
    there = _staged_rows(files)
    if counted.get(table, 0) != expected or there != expected or len(files) != len(group):
        raise StagingError(
            f"dlt says {counted.get(table, 0):,} rows of {table} and staged {there:,} in {len(files)} files; "
            f"given were {expected:,} in {len(group)}"
        )
    system, part = group[0]
    return Staged(system, part, files)


def _staged_rows(files: Sequence[Path]) -> int:
    """Rows that really lie in dlt's files: its own count is the one it was told."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    return sum(int(pq.read_metadata(path).num_rows) for path in files)
