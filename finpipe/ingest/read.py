"""One landed file into parquet of text columns, for each table that it feeds.

Belongs here: choosing the reader of a format, and a connection for it.
Does not belong here: admitting rows (``load``).
Readers raise ``FinpipeError`` to refuse a file; anything else is a defect and stops the load.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest.extract import Job, Part
from finpipe.ingest.landing import Manifest
from finpipe.ingest.mt940 import read_mt940
from finpipe.ingest.plain import plain
from finpipe.ingest.read_csv import Dialect, read_csv
from finpipe.ingest.read_json import read_json
from finpipe.ingest.read_parquet import read_parquet
from finpipe.ingest.recognise import CSV, JSON, MT940, format_of
from finpipe.settings import Home
from finpipe.systems import System, Table


def read(home: Home, system: System, landed: Manifest, folder: Path, database: duckdb.DuckDBPyConnection) -> list[Part]:
    """Read one landed file into parts in ``folder``; raises ``FinpipeError`` when the file is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with database.cursor() as connection:
        connection.execute("set enable_progress_bar = false")
        job = Job(
            system,
            landed.table,
            landed.original_name,
            landed.path(home),
            folder,
            landed.order,
            connection,
        )
        return read_job(job)


def read_job(job: Job) -> list[Part]:
    """Read by the format that the file's name promises."""
    form = format_of(job.name)
    if form == MT940:
        return read_mt940(job, plain(job.path, job.name, "utf-8", job.folder) if _packed(job) else job.path)
    if form == JSON:
        return read_json(job, plain(job.path, job.name, "utf-8", job.folder))
    if form == CSV:
        encoding = Dialect.of(job.system).encoding
        return read_csv(job, plain(job.path, job.name, encoding, job.folder), _table(job))
    return read_parquet(job, job.path, _table(job))


def _table(job: Job) -> Table:
    """The table that landing recognised; refused when the description lost it since."""
    if job.label not in job.system.tables:
        raise FinpipeError(
            f"{job.system.name} no longer describes the table {job.label}",
            where=job.name,
            fix=f"describe [tables.{job.label}] again in sources/{job.system.name}/system.toml",
        )
    return job.system.tables[job.label]


def _packed(job: Job) -> bool:
    return job.name.lower().endswith(".gz")


@contextmanager
def reader(home: Home, folder: Path, files: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory in which ``files`` of a batch are read at once: reading must not touch the working database.

    One for the batch and a cursor for each file: a database of its own costs each of them 22 ms of CPU.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": home.config.memory_limit,
            # Those who ask work themselves, and DuckDB has as many threads more as there is room for.
            "threads": max(1, home.config.threads - files + 1),
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": True,
            # It would mark columns that happen to have no null as required; dlt then rewrites the file.
            "disabled_optimizers": "statistics_propagation",
        }
    )
    try:
        yield connection
    finally:
        connection.close()
