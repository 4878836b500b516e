"""What stands and what something new reaches; that it gives what a whole build gives is asked of real runs."""

from collections.abc import Iterator

import duckdb
import pytest

from finpipe.build import standing
from finpipe.build.manifest import kept


@pytest.fixture
def books() -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables that models read, each of one number; everything made of them stands."""
    with duckdb.connect() as connection:
        for name in kept().inputs:
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create table {name} as select 1 as value union all select 2")
        connection.execute("create schema if not exists ledger")
        standing.note_sources(connection)
        made = [m.table for m in kept().models.values() if m.kind == "table"]
        for name in [*made, *(c.unique_id for c in kept().checks.values())]:
            connection.execute("insert into ledger.built values (?, 'inputs', 'says')", [name])
        yield connection


def test_nothing_new_reaches_nothing(books: duckdb.DuckDBPyConnection) -> None:
    changed = standing.note_sources(books)
    assert changed == set()
    assert standing.reached(books, changed) == []


def test_the_order_of_rows_is_nothing_new(books: duckdb.DuckDBPyConnection) -> None:
    books.execute("create or replace table canonical.payments as from canonical.payments order by value desc")
    assert standing.note_sources(books) == set()


@pytest.mark.parametrize(
    "sql", ["insert into {} values (2)", "update {} set value = 3 where value = 2", "delete from {}"]
)
def test_a_changed_row_is_told_once(books: duckdb.DuckDBPyConnection, sql: str) -> None:
    books.execute(sql.format("canonical.bank_transactions"))
    assert standing.note_sources(books) == {"canonical.bank_transactions"}
    assert standing.note_sources(books) == set()


def test_a_bank_line_reaches_what_is_made_of_it(books: duckdb.DuckDBPyConnection) -> None:
    found = set(standing.reached(books, {"canonical.bank_transactions"}))
    assert {"model.finpipe.rec_cash_movements__bank_lines", "model.finpipe.exceptions"} <= found
    assert not {"model.finpipe.customers", "model.finpipe.products"} & found


def test_exactly_what_follows_is_reached_checks_too(books: duckdb.DuckDBPyConnection) -> None:
    found = set(standing.reached(books, {"canonical.payouts"}))

    def follows(table: str) -> bool:
        model = kept().tables.get(table)
        return table == "canonical.payouts" or (model is not None and any(map(follows, model.reads)))

    for model in kept().models.values():
        assert (model.unique_id in found) == (model.kind == "table" and follows(model.table)), model.table
    for check in kept().checks.values():
        assert (check.unique_id in found) == any(map(follows, (check.table, *check.reads))), check.name


def test_what_a_stop_left_unknown_is_built_with_all_that_follows(books: duckdb.DuckDBPyConnection) -> None:
    books.execute("delete from ledger.built where name = 'marts.billings'")
    found = standing.reached(books, set())
    assert {"model.finpipe.billings", "model.finpipe.bookings_billings_collections"} <= set(found)


def test_starting_over_leaves_nothing_standing(books: duckdb.DuckDBPyConnection) -> None:
    standing.start_over(books)
    changed = standing.note_sources(books)
    assert changed == set(kept().inputs)
    tables = {m.unique_id for m in kept().models.values() if m.kind == "table"}
    assert tables <= set(standing.reached(books, changed))
