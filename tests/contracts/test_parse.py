"""What text may become: the grammar of amounts, dates, moments and flags."""

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finpipe.contracts import entities, own_columns
from finpipe.contracts.base import Column
from finpipe.contracts.parse import parse

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
def test_no_contract_holds_a_float(name: str) -> None:
    assert not [c.name for c in own_columns(entities()[name]) if isinstance(c.dtype, pl.Float32 | pl.Float64)]


@pytest.mark.parametrize("column", [c for e in entities().values() for c in own_columns(e)], ids=lambda c: c.name)
def test_every_column_is_described(column: Column) -> None:
    assert column.description.endswith(".")
    assert column.sql_type
