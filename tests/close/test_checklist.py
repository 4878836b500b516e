"""What keeps a period open, line by line, each asked of tables that a person can read at once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finpipe.close import Period, checklist
from finpipe.close.checklist import Line, _ask, _calendar, _exceptions, _files, _landed, _reconciled, _signed_figures
from finpipe.policy import Policy, policy_of
from finpipe.settings import Home

MARCH = Period(
    legal_entity_id="erp:1",
    period="Mar 2025",
    quarter="2025-Q1",
    starts_on=date(2025, 3, 1),
    ends_on=date(2025, 3, 31),
    state="open",
    sign_off="none",
    close_id=None,
    prepared_by=None,
    signed_by=None,
    publication=None,
    evidence=None,
    moved_count=0,
    unadjusted_count=0,
    is_whole=True,
)
FEBRUARY = replace(MARCH, period="Feb 2025", starts_on=date(2025, 2, 1), ends_on=date(2025, 2, 28))
TABLES = """
create table ledger.loads (load_seq bigint, system varchar, original_name varchar, verdict varchar, reason varchar,
    received_at timestamptz);
create table canonical.invoices (system varchar, valid_from timestamptz);
create table canonical.bank_transactions (system varchar, booked_on date, valid_from timestamptz);
create table marts.exceptions (exception_id varchar, code varchar, severity varchar, currency varchar,
    amount decimal(18, 4), sentence varchar, owner varchar, legal_entity_id varchar, period varchar, happened_on date,
    state varchar, origin varchar, left_key varchar);
create table marts.reconciliations (reconciliation_id varchar, leg varchar, legal_entity_id varchar, period varchar,
    latest_on date, unexplained_amount decimal(18, 4), currency varchar, blocking_count bigint, status varchar);
create table marts.trial_balance (legal_entity_id varchar, period varchar, period_ends_on date, book varchar,
    currency varchar, debit_amount decimal(18, 4), credit_amount decimal(18, 4));
"""


@pytest.fixture
def books(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The tables that the checklist asks, empty, and March of the first entity to be closed."""
    warehouse.execute(TABLES)
    _ask(warehouse, [MARCH])
    return warehouse


def give(books: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    books.execute(f"insert into {table} by name select {', '.join(f'? as {name}' for name in row)}", list(row.values()))


def policy(home: Home, **up_to: str) -> Policy:
    return replace(policy_of(home), close_up_to={c: Decimal(amount) for c, amount in up_to.items()})


def test_a_period_that_leaves_a_gap_or_overlaps_its_neighbour_is_not_closed() -> None:
    assert _calendar([MARCH]) == Line("the calendar is whole", True, 0, "periods with a gap or an overlap")
    line = _calendar([MARCH, replace(MARCH, period="Apr 2025", is_whole=False)])
    assert (line.holds, line.number) == (False, 1)
    assert line.open == ("erp:1: Apr 2025 to 2025-03-31 leaves a gap or overlaps its neighbour",)


# Every system has landed past the end ---------------------------------------------------------------------------------


def landed(books: duckdb.DuckDBPyConnection, *asked: Period, aside: dict[str, str] | None = None) -> Line:
    return _landed(books, asked or [MARCH], {"bank": 4, "erp": None}, aside or {})


@pytest.fixture
def complete(books: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Both systems landed on 1 April, and the bank, which is never long silent, has a line of 27 March."""
    for system in ("bank", "erp"):
        give(books, "ledger.loads", system=system, verdict="loaded", received_at="2025-04-01 06:00:00+00")
    give(books, "canonical.bank_transactions", system="bank", booked_on="2025-03-27", valid_from="2020-01-01")
    return books


def test_systems_that_landed_past_the_end_and_are_not_silent_are_complete(complete: duckdb.DuckDBPyConnection) -> None:
    assert landed(complete) == Line("every system has landed past the end", True, 0, "of 2 systems are not complete")


def test_a_system_that_is_set_aside_keeps_every_period_open(complete: duckdb.DuckDBPyConnection) -> None:
    line = landed(complete, aside={"shop": "it does not answer: refused"})
    assert line.open == ("shop is set aside: it does not answer: refused",)
    assert line.said == "of 3 systems are not complete"


def test_a_file_of_the_last_day_or_a_refused_one_is_not_enough(complete: duckdb.DuckDBPyConnection) -> None:
    complete.execute("update ledger.loads set received_at = '2025-03-31 23:00:00+00' where system = 'erp'")
    give(complete, "ledger.loads", system="erp", verdict="refused", received_at="2025-04-02 06:00:00+00")
    assert landed(complete).open == ("erp: last landed on 2025-03-31, the period ends on 2025-03-31",)
    complete.execute("delete from ledger.loads where system = 'erp'")
    assert landed(complete).open == ("erp: last landed on no day, the period ends on 2025-03-31",)


def test_the_end_is_that_of_the_last_period_asked_for(complete: duckdb.DuckDBPyConnection) -> None:
    april = replace(MARCH, period="Apr 2025", ends_on=date(2025, 4, 30))
    assert [said.partition(",")[0] for said in landed(complete, april, MARCH).open] == [
        "bank: last landed on 2025-04-01",
        "bank: newest record of 2025-03-27",
        "erp: last landed on 2025-04-01",
    ]


def test_a_system_whose_newest_record_is_too_old_is_silent(complete: duckdb.DuckDBPyConnection) -> None:
    complete.execute("update canonical.bank_transactions set booked_on = '2025-03-26'")
    assert landed(complete).open == ("bank: newest record of 2025-03-26, the period ends on 2025-03-31",)
    complete.execute("delete from canonical.bank_transactions")
    assert landed(complete).open == ("bank: newest record of no day, the period ends on 2025-03-31",)
    give(complete, "canonical.invoices", system="bank", valid_from="2025-03-30 00:00:00+00")
    assert landed(complete).holds  # other records than statement lines are dated by their last change


# Files, reconciliations, journals -------------------------------------------------------------------------------------


def test_a_file_that_nobody_could_read_is_open_until_it_is_made_good_or_waived(
    books: duckdb.DuckDBPyConnection,
) -> None:
    bad = {"system": "erp", "original_name": "a.csv"}
    give(books, "ledger.loads", load_seq=1, verdict="refused", reason="torn", **bad)
    assert _files(books) == Line(
        "every file was read", False, 1, "files refused and not made good", ("erp: a.csv torn",)
    )
    for state, holds in (("open", False), ("waived", True), ("approved", True)):
        books.execute("delete from marts.exceptions")
        give(books, "marts.exceptions", origin="load", left_key="erp/a.csv", state=state)
        assert _files(books).holds is holds
    books.execute("delete from marts.exceptions")
    give(books, "ledger.loads", load_seq=2, verdict="loaded", **bad)
    assert _files(books).holds


def test_a_red_reconciliation_of_the_period_is_open(books: duckdb.DuckDBPyConnection) -> None:
    red = {"reconciliation_id": "R05", "leg": "paid", "legal_entity_id": "erp:1", "period": "Mar 2025",
           "unexplained_amount": "12.5", "currency": "EUR", "blocking_count": 2, "status": "red"}  # fmt: skip
    give(books, "marts.reconciliations", **red)
    said = "R05 paid erp:1 Mar 2025: 12.5000 EUR unexplained, 2 blocking"
    assert _reconciled(books, "green", ("R05", "R06")) == Line(
        "green", False, 1, "of R05, R06 red in the period", (said,)
    )
    assert _reconciled(books, "green", ("R06",)).holds


def test_what_is_red_without_a_period_says_so_and_counts_for_each_period_asked(
    books: duckdb.DuckDBPyConnection,
) -> None:
    red = {"reconciliation_id": "R05", "leg": "paid", "unexplained_amount": 1, "blocking_count": 0, "status": "red"}
    give(books, "marts.reconciliations", **red, latest_on="2025-02-10")
    assert _reconciled(books, "green", ("R05",)).holds
    _ask(books, [FEBRUARY, MARCH])
    assert _reconciled(books, "green", ("R05",)).open == ("R05 paid  any period: 1.0000  unexplained, 0 blocking",)
    give(books, "marts.reconciliations", **red, period="Mar 2025")
    assert _reconciled(books, "green", ("R05",)).number == 2


@pytest.mark.parametrize(
    ("other", "holds"),
    [
        ({"status": "green"}, True),
        ({"legal_entity_id": "erp:2"}, True),
        ({"legal_entity_id": "unassigned"}, False),
        ({"legal_entity_id": None}, False),
        ({"period": "Feb 2025"}, True),
        ({"period": None}, True),
        ({"period": None, "latest_on": "2025-03-01"}, False),
        ({"period": None, "latest_on": "2025-04-01"}, True),
    ],
)
def test_a_red_reconciliation_counts_where_it_may_concern_the_period(
    books: duckdb.DuckDBPyConnection, other: dict[str, Any], holds: bool
) -> None:
    red = {"reconciliation_id": "R05", "leg": "paid", "legal_entity_id": "erp:1", "period": "Mar 2025",
           "unexplained_amount": 0, "blocking_count": 1, "status": "red"}  # fmt: skip
    give(books, "marts.reconciliations", **(red | other))
    assert _reconciled(books, "green", ("R05",)).holds is holds


# Exceptions -----------------------------------------------------------------------------------------------------------


def material(number: int, **other: Any) -> dict[str, Any]:
    return {"exception_id": f"{number}23456789", "code": "X", "severity": "material", "currency": "EUR",
            "amount": "-60", "sentence": "s", "owner": "AR", "legal_entity_id": "erp:1", "period": "Mar 2025",
            "state": "open", **other}  # fmt: skip


def test_material_exceptions_may_stay_open_up_to_the_policys_sum_in_each_currency(
    home: Home, books: duckdb.DuckDBPyConnection
) -> None:
    limits = policy(home, EUR="120", other="0")
    give(books, "marts.exceptions", **material(1))
    give(books, "marts.exceptions", **material(2))
    assert _exceptions(books, limits).holds  # exactly the sum
    give(books, "marts.exceptions", **material(3, amount="0.01"))
    line = _exceptions(books, limits)
    assert line.open == tuple(f"{n}2345678 X material, AR: s" for n in (1, 2, 3))
    assert (line.name, line.said) == (
        "exceptions are settled", "exceptions of the period open, neither waived nor approved",
    )  # fmt: skip


def test_a_currency_the_policy_does_not_name_has_the_sum_of_others(
    home: Home, books: duckdb.DuckDBPyConnection
) -> None:
    limits = policy(home, EUR="0", other="60")
    give(books, "marts.exceptions", **material(1, currency="CHF"))
    give(books, "marts.exceptions", **material(2, currency=None, amount=None))
    give(books, "marts.exceptions", **material(3, currency=None, amount="60"))
    assert _exceptions(books, limits).holds  # no amount is nothing
    give(books, "marts.exceptions", **material(4, currency=None, amount="0.0001"))
    assert _exceptions(books, limits).number == 3  # those without a currency, and not the one in francs


@pytest.mark.parametrize(
    ("other", "holds"),
    [
        ({}, False),
        ({"state": "waived"}, True),
        ({"state": "approved"}, True),
        ({"severity": "minor"}, True),
        ({"legal_entity_id": "erp:2"}, True),
        ({"legal_entity_id": None}, False),
        ({"period": "Feb 2025"}, True),
        ({"period": None}, False),
        ({"period": None, "happened_on": "2025-03-31"}, False),
        ({"period": None, "happened_on": "2025-04-01"}, True),
    ],
)
def test_a_blocking_exception_that_may_concern_the_period_stays_open_for_none(
    home: Home, books: duckdb.DuckDBPyConnection, other: dict[str, Any], holds: bool
) -> None:
    give(books, "marts.exceptions", **(material(1, severity="blocking", amount=None) | other))
    assert _exceptions(books, policy(home, other="1000000")).holds is holds


def test_signed_figures_that_moved_are_open_until_somebody_accepts_them(books: duckdb.DuckDBPyConnection) -> None:
    moved = material(1, origin="R17", period="Feb 2025", sentence="moved by 1")
    give(books, "marts.exceptions", **moved)
    assert _signed_figures(books) == Line(
        "earlier sign-offs hold", False, 1, "signed figures moved, not waived or approved",
        ("12345678 Feb 2025: moved by 1",),
    )  # fmt: skip
    for other in ({"origin": "R16"}, {"state": "waived"}, {"state": "approved"}, {"legal_entity_id": "erp:2"}):
        books.execute("delete from marts.exceptions")
        give(books, "marts.exceptions", **(moved | other))
        assert _signed_figures(books).holds


# The whole ------------------------------------------------------------------------------------------------------------


def test_the_checklist_has_ten_lines_in_one_order(home: Home, complete: duckdb.DuckDBPyConnection) -> None:
    give(complete, "marts.reconciliations", reconciliation_id="R12", leg="l", period="Mar 2025", status="red",
         unexplained_amount=1, blocking_count=0)  # fmt: skip
    give(complete, "marts.reconciliations", reconciliation_id="R08", leg="l", period="Mar 2025", status="red",
         unexplained_amount=1, blocking_count=0)  # fmt: skip
    books = {"legal_entity_id": "erp:1", "period": "Mar 2025", "period_ends_on": "2025-03-31", "currency": "EUR"}
    give(complete, "marts.trial_balance", **books, book="1", debit_amount="1.0001", credit_amount=1)
    give(complete, "marts.trial_balance", **books, book="2", debit_amount=2, credit_amount=2)
    give(complete, "marts.exceptions", **material(1))
    published = Line("it is published", True, 0, "")
    signed = replace(FEBRUARY, state="locked")
    lines = checklist(
        complete, [MARCH], [signed, MARCH], policy(home, other="0"), {"bank": 4, "erp": None}, {}, published
    )
    assert [(line.name, line.holds) for line in lines] == [
        ("the calendar is whole", True),
        ("earlier periods are closed", True),
        ("it is published", True),
        ("every system has landed past the end", True),
        ("every file was read", True),
        ("reconciliations are green", False),
        ("subledgers tie to the ledger", False),
        ("journals balance", False),
        ("exceptions are settled", False),
        ("earlier sign-offs hold", True),
    ]
    assert lines[5].open == ("R08 l  Mar 2025: 1.0000  unexplained, 0 blocking",)
    assert lines[6].open == ("R12 l  Mar 2025: 1.0000  unexplained, 0 blocking",)
    assert lines[7].open == ("erp:1 Mar 2025 book 1: 0.0001 EUR",)
    assert lines[7].said == "books that do not sum to zero"
