"""Rows of Python's, read by SQL.

Belongs here: lending a frame to a connection.  Does not belong here: what is done with its rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl


class _StandIn:
    """What DuckDB is given for the rows, and asks for them."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows.to_arrow()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def given(connection: duckdb.DuckDBPyConnection, name: str, rows: pl.DataFrame) -> Iterator[None]:
    """Let SQL read rows by a name.

    DuckDB keeps a name that is given up until the transaction ends, and what it stood for: a pass over millions of rows
    would hold every chunk in memory. So a stand-in is kept, without its rows.
    """
    stand_in = _StandIn(rows)
    connection.register(name, stand_in)
    try:
        yield
    finally:
        connection.unregister(name)
        del stand_in.rows
