"""Rows lent to a transaction are read, and let go before it ends."""

import weakref
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from finpipe.conform.given import given


class Lent:
    """A frame that knows whether anybody still holds the rows it gave."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame, self.refers_to = frame, lambda: None

    def to_arrow(self) -> pa.Table:
        rows = self.frame.to_arrow()
        self.refers_to = weakref.ref(rows)
        return rows


def test_every_chunk_is_read_and_none_is_kept_until_the_commit() -> None:
    chunks: list[Any] = [Lent(pl.DataFrame({"n": [n], "word": [f"w{n}"]})) for n in range(3)]
    with duckdb.connect() as connection:
        connection.execute("create table kept (n bigint, word varchar)")
        connection.execute("begin")
        for chunk in chunks:
            with given(connection, "chunk", chunk):
                connection.execute("insert into kept select * from chunk")
                assert chunk.refers_to() is not None
        assert [chunk.refers_to() for chunk in chunks] == [None, None, None]
        connection.execute("commit")
        assert connection.execute("from kept order by n").fetchall() == [(0, "w0"), (1, "w1"), (2, "w2")]
