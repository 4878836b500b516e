"""A parquet file as text columns, every value cast to text exactly.

Belongs here: parquet.  Binary floats in it are shown with the fewest digits that give them back.
"""

from pathlib import Path

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest.extract import (
    Job,
    Part,
    Rows,
    found_columns,
    one_of,
    refuse_missing,
    refuse_repeated,
    with_columns,
    write_part,
)
from finpipe.systems import Table
from finpipe.warehouse import literal, quoted


def read_parquet(job: Job, path: Path, table: Table) -> list[Part]:
    """One part; raises ``FinpipeError`` when the file is not parquet or lacks a required column."""
    scan = f"read_parquet({literal(path)})"
    try:
        described = job.connection.execute(f"describe select * from {scan}").fetchall()
    except duckdb.Error as problem:
        raise FinpipeError(
            "the file is not sound parquet",
            where=job.name,
            got=str(problem).split("\n", 1)[0][:300],
            fix="write it again",
        ) from None
    types = {row[0]: row[1] for row in described}
    refuse_repeated(job.name, types)
    found = found_columns(table, list(types))
    refuse_missing(job, table, found, list(types))
    values = {c: one_of([as_text(n, types[n]) for n in names]) for c, names in found.items()}
    return [with_columns(write_part(job, table, [Rows(values, scan)]), found)]


def as_text(name: str, kind: str) -> str:
    """A column as text; nested values as JSON, instants in ISO with Z."""
    column = quoted(name)
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return f"to_json({column})::varchar"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(timezone('UTC', {column}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"nullif({column}::varchar, '')"
