"""The gate: what is good goes on, what is not is set aside with every reason and its original text."""

from dataclasses import replace
from decimal import Decimal

import pandera.polars as pa
import polars as pl
import pytest

from finpipe.conform import gate
from finpipe.contracts import Canonical
from finpipe.contracts import fields as f
from finpipe.contracts.parse import Parsed, parse

from .conftest import Lean, Toy

GOOD = ("1", "2024-01-02", "usd", "100.50")


def reasons(toy: Toy | Lean) -> dict[str, str]:
    return dict(toy.rows("select row_key, reasons from quarantine.rows"))  # type: ignore[arg-type]


def test_good_rows_go_on_beside_bad_ones(toy: Toy) -> None:
    toy.give("invoice", GOOD, ("2", "2024-01-02", "usd", "1,234.56"))
    report = toy.conform()
    assert toy.rows("select invoice_id, total_amount from canonical.invoices") == [("erp:1", Decimal("100.5000"))]
    assert list(reasons(toy)) == ["erp:2"]
    assert [(c.mapped, c.accepted, c.quarantined) for c in report.rows] == [(2, 1, 1)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("2", "2024-01-02", "usd", "1,234.56"), "total_amount is '1,234.56': expected a plain decimal"),
        (("2", "2024-01-02", "usd", "1.23456"), "at most 4 decimals"),
        (("2", "2024-01-02", "usd", "N/A"), "total_amount is 'N/A'"),
        (("2", "2024-01-02", "usd", "１２"), "total_amount is '１２'"),
        (("2", "2024-01-02", "usd", None), "total_amount is missing"),
        (("2", "2024-02-30", "usd", "1"), "issued_on is '2024-02-30': expected a date"),
        (("2", "2/30/2024", "usd", "1"), "issued_on is '2/30/2024'"),
        (("2", "2024-01-02", "xxz", "1"), "currency is 'XXZ': not an ISO 4217 currency code"),
        (("2", "2024-01-02", None, "1"), "currency is missing"),
        ((None, "2024-01-02", "usd", "1"), "invoice_id is missing"),
    ],
)
def test_a_bad_cell_is_refused_with_a_sentence(lean: Lean, row: tuple[str | None, ...], said: str) -> None:
    lean.give("invoice", GOOD, row)
    lean.conform()
    [reason] = [text for (text,) in lean.rows("select reasons from quarantine.rows")]
    assert said in str(reason)
    assert lean.rows("select count(*) from canonical.invoices") == [(1,)]


def test_every_reason_is_given_at_once(lean: Lean) -> None:
    lean.give("invoice", ("2", "never", "xxz", "N/A"))
    lean.conform()
    for column in ("issued_on", "currency", "total_amount"):
        assert column in reasons(lean)["erp:2"]


def test_own_date_formats_are_understood(lean: Lean) -> None:
    lean.give("invoice", ("1", "1/15/2024", "usd", "1"), ("2", "1/5/2024 3:05 pm", "usd", "1"))
    lean.conform()
    assert [str(day) for (day,) in lean.rows("select issued_on from canonical.invoices order by all")] == [
        "2024-01-05",
        "2024-01-15",
    ]


def test_a_key_claimed_twice_is_nobodys(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("1", "2024-01-02", "usd", "7"), ("3", "2024-01-02", "usd", "7"))
    lean.conform()
    assert lean.rows("select invoice_id from canonical.invoices") == [("erp:3",)]
    assert "more than one record" in reasons(lean)["erp:1"]


def test_a_line_without_header_is_refused_and_released_when_the_header_comes(toy: Toy) -> None:
    toy.give("line", ("a", "1", "100.50"))
    toy.conform()
    assert toy.rows("select code, amount from quarantine.rows") == [("DQ-RULE", Decimal("100.5000"))]
    toy.give("invoice", GOOD)
    toy.conform()
    assert toy.rows("select invoice_line_id from canonical.invoice_lines") == [("erp:a",)]
    assert not reasons(toy)


def test_lines_of_a_refused_header_wait_with_it(lean: Lean) -> None:
    lean.give("invoice", ("1", "2024-01-02", "usd", "N/A"))
    lean.give("line", ("a", "1", "100.50"))
    lean.conform()
    assert set(reasons(lean)) == {"erp:1", "erp:a"}


def test_an_unbalanced_posting_is_refused_whole(lean: Lean) -> None:
    lean.give("posting", ("1",), ("2",))
    lean.give("posting_line", ("1/1", "1", "10"), ("1/2", "1", "-10"), ("2/1", "2", "10"), ("2/2", "2", "-9.99"))
    lean.conform()
    assert lean.rows("select journal_event_id from canonical.journal_events") == [("erp:1",)]
    assert lean.rows("select code, count(*) from quarantine.rows group by all") == [("JE-UNBALANCED", 3)]
    assert "0.0100 USD" in reasons(lean)["erp:2"]


def test_a_posting_with_a_line_that_is_refused_is_refused_whole(lean: Lean) -> None:
    lean.give("posting", ("1",))
    lean.give("posting_line", ("1/1", "1", "10"), ("1/2", "1", "N/A"))
    lean.conform()
    assert lean.rows("select count(*) from canonical.journal_lines") == [(0,)]
    assert lean.rows("select count(*) from quarantine.rows") == [(3,)]


def test_deleted_records_are_kept_and_not_held_to_the_contract(lean: Lean) -> None:
    lean.give("invoice", GOOD, deleted=True)
    lean.give("invoice", ("2", None, None, None), deleted=True)
    lean.conform()
    assert lean.rows("select invoice_id, is_deleted from canonical.invoices") == [("erp:1", True)]
    assert not reasons(lean)


def test_nothing_new_touches_nothing(toy: Toy) -> None:
    toy.give("invoice", GOOD)
    assert "invoices" in toy.conform().touched
    assert toy.conform().touched == ()


def test_equal_content_has_an_equal_hash_and_null_differs_from_empty(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("2", "2024-01-02", "usd", "100.50"))
    lean.conform()
    [(distinct,)] = lean.rows("select count(distinct row_hash) from canonical.invoices")
    assert distinct == 2


def test_a_mapping_with_a_strange_column_is_refused_by_name(toy: Toy) -> None:
    mapping = toy.system.folder / "invoices.sql"
    mapping.write_text(mapping.read_text().replace("select ", "select 'x' as colour, ", 1))
    refusal = toy.conform().aside["toy"]
    assert (refusal.error, refusal.got) == ("a mapping states columns that its contract does not have", "colour")


def test_a_mapping_that_does_not_run_is_named_and_changes_nothing(toy: Toy) -> None:
    toy.give("invoice", GOOD)
    assert not toy.conform().aside
    (toy.system.folder / "invoices.sql").write_text("select nonsense from nowhere")
    assert toy.conform().aside["toy"].error == "a mapping does not run"
    assert toy.rows("select count(*) from canonical.invoices") == [(1,)]


# A contract by itself -------------------------------------------------------------------------------------------------


class Rates(Canonical):
    """One rule of each kind, one of them across columns."""

    rate_id: str = f.key("Key.")
    kind: str = f.choice("Kind.", ["spot", "average"])
    currency: str = f.currency()
    rate: f.Rate = f.rate("Rate.", positive=True)
    other_rate: f.Rate = f.rate("Another.", required=False)

    @pa.dataframe_check
    def rates_must_differ(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805  # pandera makes it a class method
        """The row's two rates are not one."""
        return data.lazyframe.select(pl.col("rate") != pl.col("other_rate"))


RATE = ("a:1", "spot", "USD", "1.5", "2")


def rates(*rows: tuple[str | None, ...]) -> pl.DataFrame:
    names = ["rate_id", "kind", "currency", "rate", "other_rate"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def refused(*rows: tuple[str | None, ...]) -> dict[int, str]:
    """Positions of the rows that are refused, in order, and why."""
    text = rates(*rows)
    return dict(gate._refusals(text, parse(text, Rates), Rates).frame.iter_rows())


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        (0, None, "rate_id is missing"),
        (1, None, "kind is missing"),
        (1, "spo", "kind is 'spo': expected one of spot, average"),
        (1, "x" * 81, f"kind is '{'x' * 80}': expected one of spot, average"),
        (2, "usd", "currency is 'usd': not an ISO 4217 currency code"),
        (3, "1,5", "rate is '1,5': expected a plain decimal (digits, one point) with at most 12 decimals"),
        (3, "-1", "rate is '-1.000000000000': must be greater than(0)"),
        (3, "2", "rates must differ"),
    ],
)
def test_each_kind_of_rule_has_its_sentence(cell: int, value: str | None, said: str) -> None:
    bad = (*RATE[:cell], value, *RATE[cell + 1 :])
    assert refused(RATE, bad, RATE) == {1: said}
    assert refused(RATE) == {}


def test_refusals_are_a_position_and_a_text_also_where_there_are_none() -> None:
    for rows in ([RATE], [RATE, ("x", *RATE[1:])]):
        text = rates(*rows)
        found = gate._refusals(text, parse(text, Rates), Rates).frame
        assert (found.schema, found.height) == ({"position": pl.UInt32, "reasons": pl.String}, len(rows) - 1)


def test_rows_are_refused_in_their_order_whatever_is_wrong_with_them() -> None:
    """Reasons of types come first, then those of rules by column: across columns, then from a to z."""
    empty, garbled = (*RATE[:3], None, "2"), (*RATE[:3], "n", "2")
    several = ("a:1", "spo", "XXX", "3", "3")
    three = ("rates must differ", "currency is 'XXX': not an ISO 4217 currency code",
             "kind is 'spo': expected one of spot, average")  # fmt: skip
    assert list(refused(several, RATE, garbled, empty, several).items()) == [
        (0, "; ".join(three)),
        (2, "rate is 'n': expected a plain decimal (digits, one point) with at most 12 decimals"),
        (3, "rate is missing"),
        (4, "; ".join(three)),
    ]


def test_a_row_has_so_many_reasons_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_REASONS", 2)
    assert refused((None, None, None, "1", "2")) == {0: "currency is missing; kind is missing"}


def test_a_frame_that_is_not_the_contracts_stops_the_run_and_shows_no_cell() -> None:
    """That is a mistake in finpipe and no row's fault; what it says goes to logs, where no record may be shown."""
    parsed = parse(rates(RATE, ("b:1", "secret", *RATE[2:])), Rates)
    with pytest.raises(RuntimeError) as stopped:
        gate._violations(Parsed(parsed.frame.drop("kind", "currency"), {}), Rates, {})
    said = "column_in_dataframe kind, column_in_dataframe currency"
    assert str(stopped.value) == f"the frame itself breaks the contract of Rates: {said}"


# What the gate fills, and what it leaves ------------------------------------------------------------------------------


def test_an_id_is_the_records_own_without_role_and_prefix(lean: Lean) -> None:
    lean.system = replace(lean.system, settings={**lean.system.settings, "key_prefixes": {"erp": "old."}})
    lean.give("invoice", GOOD)
    lean.conform()
    assert lean.rows("select invoice_id, source_id from canonical.invoices") == [("erp:old.1", "1")]


def test_a_refused_row_of_an_entity_without_money_puts_none_at_risk(lean: Lean) -> None:
    lean.give("posting", (None,))
    lean.conform()
    assert lean.rows("select entity, reasons, amount, currency from quarantine.rows") == [
        ("journal_events", "journal_event_id is missing", None, None)
    ]


def test_the_gate_leaves_no_frame_behind(lean: Lean) -> None:
    """A frame that stays registered stays in memory."""
    lean.give("invoice", GOOD, ("2", "never", "usd", "1"))
    lean.conform()
    assert lean.rows("select view_name from duckdb_views() where not internal") == []
