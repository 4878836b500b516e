"""The figures of a close by hand: what documents moved, what stood before, what moved since, and the balances."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finpipe.close import Period, digests, figures_of
from finpipe.close.figures import MEASURES, identified

TABLES = """
create table intermediate.int_figures__itemised (measure varchar, legal_entity_id varchar, period_ends_on date,
    part varchar, document_id varchar, label varchar, currency varchar, amount decimal(18, 4),
    functional_currency varchar, functional_amount decimal(18, 4));
create table intermediate.int_periods__listed (legal_entity_id varchar, calendar varchar);
create table intermediate.int_calendar_dates__placed (calendar varchar, date_on date, period_ends_on date);
create table intermediate.int_closes__signed (legal_entity_id varchar, measure varchar, is_in_force boolean,
    next_close_id varchar);
create table intermediate.int_figures__compared (measure varchar, legal_entity_id varchar, period_ends_on date,
    part varchar, document_id varchar, label varchar, currency varchar, moved_amount decimal(18, 4),
    functional_currency varchar, functional_moved_amount decimal(18, 4), is_in_force boolean);
insert into intermediate.int_periods__listed values ('erp:1', 'months'), ('erp:2', 'months');
insert into intermediate.int_calendar_dates__placed
    select 'months', day, last_day(day) from (select unnest(generate_series(date '2025-01-01', date '2025-04-30',
        interval 1 day))::date as day);
"""
JAN, FEB, MAR = date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31)


def month(ends_on: date, entity: str = "erp:1") -> Period:
    nothing = (None, None, None, None, None, 0, 0)
    return Period(entity, "m", "q", ends_on.replace(day=1), ends_on, "open", "none", *nothing, is_whole=True)


@pytest.fixture
def books(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """An invoice of 100 in January, 20 paid in February, 5 of another entity, and as much in the ledger."""
    warehouse.execute(TABLES)
    rows = [
        ("ar", "erp:1", JAN, "invoice", "i1", "INV-1", 100),
        ("ar", "erp:1", FEB, "payment", "p1", "PAY-1", -20),
        ("ar", "erp:2", FEB, "invoice", "i2", "INV-2", 5),
        ("ledger", "erp:1", JAN, "1100", "j1", "JE-1", 100),
        ("ledger", "erp:1", FEB, "1100", "j2", "JE-2", -20),
    ]
    for row in rows:
        warehouse.execute(
            "insert into intermediate.int_figures__itemised values (?, ?, ?, ?, ?, ?, 'EUR', ?, 'USD', ?)",
            [*row, 2 * row[-1]],
        )
    return warehouse


def short(figures: list[dict[str, Any]], measure: str = "ar") -> list[tuple[Any, ...]]:
    return [
        (f["kind"], f["period_ends_on"], f["part"], f["document_id"], f["amount"], f["functional_amount"])
        for f in figures
        if f["measure"] == measure
    ]


def test_a_first_close_has_what_lies_before_as_its_opening(books: duckdb.DuckDBPyConnection) -> None:
    found = figures_of(books, [month(FEB)], MEASURES["ar"])
    assert short(found) == [
        ("closing", FEB, "closing", None, 80, 160),
        ("item", FEB, "payment", "p1", -20, -40),
        ("opening", FEB, "opening", None, 100, 200),
    ]
    assert found[1] == {
        "period_ends_on": FEB, "legal_entity_id": "erp:1", "measure": "ar", "kind": "item", "origin_ends_on": None,
        "part": "payment", "document_id": "p1", "label": "PAY-1", "currency": "EUR", "amount": Decimal("-20.0000"),
        "functional_currency": "USD", "functional_amount": Decimal("-40.0000"),
    }  # fmt: skip


def test_periods_closed_together_have_one_opening_and_a_closing_each(books: duckdb.DuckDBPyConnection) -> None:
    assert short(figures_of(books, [month(JAN), month(FEB)], MEASURES["ar"])) == [
        ("closing", JAN, "closing", None, 100, 200),
        ("item", JAN, "invoice", "i1", 100, 200),
        ("closing", FEB, "closing", None, 80, 160),
        ("item", FEB, "payment", "p1", -20, -40),
    ]


def test_balances_of_the_ledger_stand_by_account(books: duckdb.DuckDBPyConnection) -> None:
    found = figures_of(books, [month(FEB)], MEASURES["all"])
    assert short(found, "ledger") == [
        ("closing", FEB, "1100", None, 80, 160),
        ("item", FEB, "1100", "j2", -20, -40),
        ("opening", FEB, "1100", None, 100, 200),
    ]
    assert {f["measure"] for f in found} == {"ar", "ledger"}


def test_a_close_on_top_of_a_signed_one_takes_in_what_moved_since(books: duckdb.DuckDBPyConnection) -> None:
    """Its opening was signed; what moved in signed periods is named with its period, unless nothing moved."""
    books.execute("insert into intermediate.int_closes__signed values ('erp:1', 'ar', true, null)")
    for document, moved, in_force in (("i1", 3, True), ("i3", 0, True), ("i4", 9, False)):
        books.execute(
            "insert into intermediate.int_figures__compared values "
            "('ar', 'erp:1', ?, 'invoice', ?, 'INV-1', 'EUR', ?, 'USD', 0, ?)",
            [JAN, document, moved, in_force],
        )
    found = figures_of(books, [month(FEB), month(MAR)], MEASURES["ar"])
    assert short(found) == [
        ("adjustment", FEB, "invoice", "i1", 3, 0),
        ("closing", FEB, "closing", None, 80, 160),
        ("item", FEB, "payment", "p1", -20, -40),
        ("closing", MAR, "closing", None, 80, 160),
    ]
    assert found[0]["origin_ends_on"] == JAN
    assert short(figures_of(books, [month(MAR)], ["ledger"]), "ar") == []


def test_a_document_of_another_calendar_lies_in_the_entitys_own_period(books: duckdb.DuckDBPyConnection) -> None:
    books.execute(
        "update intermediate.int_figures__itemised set period_ends_on = '2025-02-22' where document_id = 'p1'"
    )
    assert ("item", FEB, "payment", "p1", -20, -40) in short(figures_of(books, [month(FEB)], MEASURES["ar"]))


def test_figures_are_digested_by_measure_and_carry_an_id_of_their_close(books: duckdb.DuckDBPyConnection) -> None:
    found = figures_of(books, [month(FEB)], MEASURES["all"])
    said = digests(found)
    assert list(said) == ["ar", "ledger"]
    assert {len(digest) for digest in said.values()} == {32}
    books.execute("update intermediate.int_figures__itemised set label = 'PAY-2' where document_id = 'p1'")
    other = digests(figures_of(books, [month(FEB)], MEASURES["all"]))
    assert (other["ar"] == said["ar"], other["ledger"] == said["ledger"]) == (False, True)
    named = identified(found, "c1")
    assert len({one["id"] for one in named}) == len(named) == 6
    assert {one["close_id"] for one in named} == {"c1"}
    assert [{k: v for k, v in one.items() if k not in ("id", "close_id")} for one in named] == found


@pytest.mark.parametrize(
    "other",
    [
        {"legal_entity_id": "erp:2"}, {"period_ends_on": MAR}, {"measure": "deferred"}, {"kind": "opening"},
        {"origin_ends_on": JAN}, {"part": "write-off"}, {"document_id": "p2"}, {"currency": "CHF"},
        {"functional_currency": None},
    ],
)  # fmt: skip
def test_whatever_tells_two_figures_apart_is_in_their_ids(
    books: duckdb.DuckDBPyConnection, other: dict[str, Any]
) -> None:
    [_, item, _] = figures_of(books, [month(FEB)], MEASURES["ar"])
    assert identified([item], "c1")[0]["id"] != identified([item | other], "c1")[0]["id"]
    assert identified([item], "c1")[0]["id"] == identified([item | {"amount": 1, "label": "x"}], "c1")[0]["id"]


def test_the_id_of_a_figure_never_changes(books: duckdb.DuckDBPyConnection) -> None:
    """It is landed: a close that is read again under another id would be a second one."""
    [_, item, _] = figures_of(books, [month(FEB)], MEASURES["ar"])
    text = "c1|erp:1|2025-02-28|ar|item|None|payment|p1|EUR|USD"
    assert identified([item], "c1")[0]["id"] == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
