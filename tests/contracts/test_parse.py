"""What text may become: the grammar of amounts, dates, moments and flags."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finpipe.contracts import entities, own_columns
from finpipe.contracts.base import Column
from finpipe.contracts.parse import parse, what_is_expected

INVOICES = entities()["invoices"]


def typed(column: str, *texts: str | None) -> list[object]:
    """Parse one column of an invoice."""
    frame = pl.DataFrame(
        {c.name: list(texts) if c.name == column else [None] * len(texts) for c in own_columns(INVOICES)},
        schema={c.name: pl.String for c in own_columns(INVOICES)},
    )
    return parse(frame, INVOICES).frame.get_column(column).to_list()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", "1"),
        ("-1.50", "-1.5"),
        ("0001.10", "1.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1.500000", "1.5"),
        ("99999999999999.9999", "99999999999999.9999"),
        ("-0", "0"),
        (f"{'0' * 60}1.5{'0' * 60}", "1.5"),
    ],
)
def test_plain_decimals_are_amounts(text: str, amount: str) -> None:
    assert typed("total_amount", text) == [Decimal(amount)]


@pytest.mark.parametrize(
    "text",
    [
        "N/A",
        "1,234.56",
        "1.234,56",
        "１２",
        "٣",
        "1e5",
        "1E-7",
        "1.23456",
        "0x10",
        "1_000",
        " 1",
        "1 ",
        "+1",
        "--1",
        "-",
        ".",
        "$1",
        "1 USD",
        "(1.00)",
        "NaN",
        "Infinity",
        "1.2.3",
        "1.50-",
        "999999999999999",
        "−1",
        "1\n",
        "1\u00a0",
    ],
)
def test_numbers_in_disguise_are_refused_rather_than_guessed(text: str) -> None:
    assert typed("total_amount", text) == [None]


@given(st.decimals(min_value=-(10**14) + 1, max_value=10**14 - 1, places=4, allow_nan=False, allow_infinity=False))
def test_every_amount_survives_text_exactly(amount: Decimal) -> None:
    assert typed("total_amount", f"{amount:f}") == [amount]


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30",
        "2024-2-3",
        "24-02-03",
        "20240203",
        "0024-02-03",
        "3024-01-01",
        "2024-02-03T00:00:00",
        "03.02.2024",
        "2024-02-03 ",
        "２024-02-03",
    ],
)
def test_what_is_not_a_day_is_refused(text: str) -> None:
    assert typed("issued_on", text) == [None]


def test_a_leap_day_is_a_day() -> None:
    assert str(typed("issued_on", "2024-02-29")[0]) == "2024-02-29"


def test_cells_that_fail_are_told_from_cells_that_are_empty() -> None:
    frame = pl.DataFrame(
        {c.name: ["x", None] if c.name == "total_amount" else [None, None] for c in own_columns(INVOICES)},
        schema={c.name: pl.String for c in own_columns(INVOICES)},
    )
    parsed = parse(frame, INVOICES)
    assert {name: mask.to_list() for name, mask in parsed.failed.items()} == {"total_amount": [True, False]}


@pytest.mark.parametrize("name", sorted(entities()))
def test_every_column_gets_the_type_of_its_contract_also_where_nothing_is_said(name: str) -> None:
    own = own_columns(entities()[name])
    text = pl.DataFrame({c.name: [None] for c in own}, schema=dict.fromkeys([c.name for c in own], pl.String))
    parsed = parse(text, entities()[name])
    assert parsed.frame.schema == {c.name: c.dtype for c in own}
    assert parsed.failed == {}


def test_text_stays_as_it_was() -> None:
    assert typed("document_number", "007", "INV-1", " 1.50", None) == ["007", "INV-1", " 1.50", None]


@pytest.mark.parametrize("name", sorted(entities()))
def test_no_contract_holds_a_float(name: str) -> None:
    assert not [c.name for c in own_columns(entities()[name]) if isinstance(c.dtype, pl.Float32 | pl.Float64)]


@pytest.mark.parametrize("column", [c for e in entities().values() for c in own_columns(e)], ids=lambda c: c.name)
def test_every_column_is_described(column: Column) -> None:
    assert column.description.endswith(".")
    assert column.sql_type


def cells(entity: str, column: str, *texts: str) -> list[object]:
    """Parse one column of any entity."""
    contract = entities()[entity]
    frame = pl.DataFrame(
        {c.name: list(texts) if c.name == column else [None] * len(texts) for c in own_columns(contract)},
        schema={c.name: pl.String for c in own_columns(contract)},
    )
    return parse(frame, contract).frame.get_column(column).to_list()


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    assert cells("opportunities", "is_won", "true", "false", "TRUE", "False", "1", "yes", "") == [
        True,
        False,
        *[None] * 5,
    ]


def test_a_moment_is_utc_to_the_second_or_finer() -> None:
    said = cells(
        "decisions", "decided_at",
        "2024-02-29T10:11:12Z", "2024-02-29T10:11:12.000001Z", "2024-02-29T10:11:12", "2024-02-29 10:11:12Z",
        "2024-02-30T10:11:12Z", "1899-12-31T00:00:00Z", "2200-01-01T00:00:00Z",
    )  # fmt: skip
    assert [str(moment) for moment in said] == [
        "2024-02-29 10:11:12+00:00",
        "2024-02-29 10:11:12.000001+00:00",
        *["None"] * 5,
    ]


def test_a_whole_number_has_no_other_digits_than_zeros_behind_its_point() -> None:
    said = cells(
        "bank_transactions", "line_number", "7", "-7", "007", "7.", "7.000", "7.5", "1e3", "+7", "", "9" * 18, "9" * 19
    )
    assert said == [7, -7, 7, 7, 7, None, None, None, None, int("9" * 18), None]


def test_edges_of_the_years_a_business_date_may_have() -> None:
    said = typed("issued_on", "1899-12-31", "1900-01-01", "2199-12-31", "2200-01-01")
    assert [str(day) for day in said] == ["None", "1900-01-01", "2199-12-31", "None"]


def test_what_is_expected_is_said_of_every_type() -> None:
    said = {
        type(c.dtype): what_is_expected(c) for e in entities().values() for c in own_columns(e) if c.dtype != pl.String
    }
    assert said[pl.Boolean] == "true or false"
    assert said[pl.Int64] == "a whole number"
    assert said[pl.Date] == "a date YYYY-MM-DD from 1900 to 2199"
    assert said[pl.Datetime] == "a moment YYYY-MM-DDTHH:MM:SSZ"
    assert "decimals" in said[pl.Decimal]
