"""What stands in quarantine, word for word: whose record it is, where it lies, why it waits and what is at stake."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.conform import gate, newest, rules
from finpipe.ingest import raw
from finpipe.systems import System, Table

from .conftest import Lean

GOOD = ("1", "2024-01-02", "usd", "100.50")
ROW = "select system, entity, row_key, source_table, load_seq, row_number, code, reasons, amount, currency, owner, "
ROW += "epoch(recorded_at)::bigint from quarantine.rows order by entity, row_key"
LANDED = 1706745600


def test_a_refused_cell_is_kept_with_its_row_and_its_place(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("2", "2024-02-30", "usd", "7.25"))
    lean.conform()
    said = "issued_on is '2024-02-30': expected a date (YYYY-MM-DD)"
    [found] = lean.rows(ROW)
    assert found[:7] == ("toy", "invoices", "erp:2", "t", 1, 2, "DQ-RULE")
    assert str(found[7]).startswith(said[:40])
    assert found[8:] == (Decimal("7.2500"), "USD", "AR", LANDED)
    [(text,)] = lean.rows('select "row" from quarantine.rows')
    row = json.loads(str(text))
    assert (row["invoice_id"], row["issued_on"], row["total_amount"]) == ("erp:2", "2024-02-30", "7.25")
    assert "mapped_row" not in row


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_rows_go_the_same_way_in_chunks_of_any_size(lean: Lean, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(gate, "CHUNK_ROWS", size)
    rows = [(str(n), "2024-01-02", "usd", "N/A" if n in (2, 3, 6) else f"{n}") for n in range(1, 8)]
    lean.give("invoice", *rows)
    lean.conform()
    kept = lean.rows("select invoice_id, total_amount, row_number from canonical.invoices order by all")
    assert kept == [(f"erp:{n}", Decimal(n), n) for n in (1, 4, 5, 7)]
    set_aside = lean.rows("select row_key, row_number from quarantine.rows order by all")
    assert set_aside == [(f"erp:{n}", n) for n in (2, 3, 6)]


def test_a_long_cell_is_shown_up_to_80_letters(lean: Lean) -> None:
    lean.give("invoice", ("1", "2024-01-02", "usd", "0123456789" * 9), ("2", "2024-01-02", "0123456789" * 9, "1"))
    lean.conform()
    shown = "'" + "0123456789" * 8 + "': "
    said = [str(text) for (text,) in lean.rows("select reasons from quarantine.rows order by row_key")]
    assert all(shown in text for text in said)
    assert said[1] == f"currency is {shown}not an ISO 4217 currency code"


def test_reasons_stand_side_by_side_each_once(lean: Lean) -> None:
    lean.give("invoice", ("1", None, "xxz", "N/A"))
    lean.conform()
    [(reasons,)] = lean.rows("select reasons from quarantine.rows")
    said = str(reasons).split("; ")
    assert len(said) == len(set(said))
    assert [text.split(" ")[0] for text in said] == [
        "gross_amount", "net_amount", "total_amount", "currency", "issued_on",
    ]  # fmt: skip
    assert said[-2:] == ["currency is 'XXZ': not an ISO 4217 currency code", "issued_on is missing"]


def test_a_currency_that_is_none_is_not_repeated_beside_the_amount(lean: Lean) -> None:
    lean.give("invoice", ("1", "2024-01-02", "x1z", "5"), ("2", "never", "eur", "6"))
    lean.conform()
    assert lean.rows("select row_key, currency from quarantine.rows order by 1") == [("erp:1", None), ("erp:2", "EUR")]


def test_lineage_and_hash_are_the_gates_to_fill(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("2", *GOOD[1:]))
    lean.conform()
    columns = "system, source_id, source_table, load_seq, row_number, is_deleted, epoch(recorded_at)::bigint"
    assert lean.rows(f"select {columns} from canonical.invoices order by row_number") == [
        ("toy", "1", "t", 1, 1, False, LANDED),
        ("toy", "2", "t", 1, 2, False, LANDED),
    ]
    hashes = lean.rows("select row_hash from canonical.invoices")
    assert len({str(own) for (own,) in hashes}) == 2
    assert {len(str(own)) for (own,) in hashes} == {32}


def test_a_key_that_two_rows_claim(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("1", "2024-01-02", "usd", "7"))
    lean.conform()
    said = ("DQ-RULE", "invoice_id erp:1 is claimed by more than one record")
    assert lean.rows(ROW) == [
        ("toy", "invoices", "erp:1", "t", 1, number, *said, Decimal(amount), "USD", "AR", LANDED)
        for number, amount in ((1, "100.5"), (2, "7"))
    ]


def test_a_line_without_its_header(lean: Lean) -> None:
    lean.give("line", ("a", "1", "100.50"))
    lean.conform()
    said = "invoice_id erp:1 has no accepted row in invoices: land its header, or mend the header that was refused"
    assert lean.rows(ROW) == [
        ("toy", "invoice_lines", "erp:a", "t", 1, 1, "DQ-RULE", said, Decimal("100.5"), "USD", "AR", LANDED)
    ]


def test_a_deleted_line_needs_no_header(lean: Lean) -> None:
    lean.give("line", ("a", "1", "100.50"), deleted=True)
    lean.conform()
    assert lean.rows(ROW) == []


def test_a_posting_that_does_not_balance(lean: Lean) -> None:
    lean.give("posting", ("2",))
    lean.give("posting_line", ("2/1", "2", "10"), ("2/2", "2", "-9.99"))
    lean.conform()
    said = ("JE-UNBALANCED", "lines of posting erp:2 do not balance: they sum to 0.0100 USD")
    assert [(*found[1:3], *found[6:8]) for found in lean.rows(ROW)] == [
        ("journal_events", "erp:2", *said),
        ("journal_lines", "erp:2/1", *said),
        ("journal_lines", "erp:2/2", *said),
    ]
    assert lean.rows("select count(*) from canonical.journal_lines") == [(0,)]


def test_whom_nobody_owns_is_the_data_platforms(lean: Lean) -> None:
    lean.give("invoice", ("9", "2024-01-02", "usd", "7"))
    lean.conform()
    again = "select * replace (2 as row_number) from canonical.invoices where source_id = '9'"
    lean.connection.execute(f"insert into canonical.invoices {again}")
    rules.refuse_duplicate_keys(lean.connection, "invoices", {"other": "GL"})
    assert lean.rows("select distinct owner from quarantine.rows where row_key = 'erp:9'") == [("data platform",)]


def test_parents_are_judged_before_their_lines() -> None:
    assert rules.parents_first(["journal_lines", "invoice_lines", "journal_events", "invoices"]) == [
        "invoices", "journal_events", "invoice_lines", "journal_lines",
    ]  # fmt: skip
    assert rules.parents_first(["invoice_lines"]) == ["invoice_lines"]
    assert rules.parents_first(["customers", "contracts"]) == ["contracts", "customers"]  # a customer may be missing


def test_parents_in_a_circle_are_a_mistake_in_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_parents", lambda _, name: {"invoices": {"orders"}, "orders": {"invoices"}}[name])
    with pytest.raises(ValueError, match=r"^contracts demand parents in a circle: \['invoices', 'orders'\]$"):
        rules.parents_first(["orders", "invoices"])


# One record, two rows of one file -------------------------------------------------------------------------------------


def rivals(
    *rows: tuple[int, int, str, str | None, str], key: tuple[str, ...] = ("id",), **settings: Any
) -> list[tuple[Any, ...]]:
    """What is noted of raw rows, each with its load, its row, its key, its time of change and its content."""
    with duckdb.connect() as connection:
        system = System("toy", Path(), "erp", "AR", "", {"bill": Table("bill", (), key=key)}, settings)
        shown(connection, system, [(*row, True) for row in rows])
        return connection.execute("select * from rivals").fetchall()


def shown(connection: duckdb.DuckDBPyConnection, system: System, rows: list[tuple[Any, ...]]) -> None:
    """Show mappings the newest of raw rows: each with its load, row, key, time of change, content, and if it counts."""
    connection.execute("attach ':memory:' as raw; use raw")
    raw.create(connection, system)
    connection.execute("use memory")
    connection.executemany(
        "insert into raw.raw_toy.bill (_load_seq, _row, _key, _version, _hash, _active) values (?, ?, ?, ?, ?, ?)", rows
    )
    connection.execute(rules.RIVALS)
    newest.show_one(connection, system, "bill")


@pytest.mark.parametrize(("most", "is_view"), [(0, True), (100, False)], ids=["where they lie", "copied"])
def test_mappings_see_the_newest_rows_where_they_lie_or_copied(
    monkeypatch: pytest.MonkeyPatch, most: int, is_view: bool
) -> None:
    """Newest by time of change, then by delivery; no history; the first of equal rows; an only row."""
    monkeypatch.setattr(newest, "MOST_PASSED_OVER", most)
    rows = [
        (1, 1, "a", "2024-01-02", "x", True), (2, 1, "a", "2024-01-01", "y", True),
        (1, 2, "b", None, "x", True), (2, 2, "b", None, "y", True), (3, 1, "b", None, "z", False),
        (1, 3, "c", None, "x", True), (2, 3, "c", None, "x", True),
        (1, 4, "d", None, "x", True), (1, 5, "e", None, "x", False),
    ]  # fmt: skip
    with duckdb.connect() as connection:
        system = System("toy", Path(), "erp", "AR", "", {"bill": Table("bill", (), key=("id",))}, {})
        shown(connection, system, rows)
        found = connection.execute("select _key, _load_seq, _row from bill order by 1").fetchall()
        assert found == [("a", 1, 1), ("b", 2, 2), ("c", 1, 3), ("d", 1, 4)]
        views = connection.execute("select 1 from duckdb_views() where view_name = 'bill' and temporary").fetchall()
        assert bool(views) is is_view


def test_a_record_that_one_file_states_in_two_ways_is_noted_where_it_stands_in_force() -> None:
    contradicted = [(1, 1, "a", None, "x"), (1, 2, "a", None, "y"), (1, 3, "b", None, "x")]
    assert rivals(*contradicted) == [("toy", "bill", 1, 2)]
    assert rivals(*contradicted, json={"path": "data"}) == [("toy", "bill", 1, 2)]


def test_what_may_follow_upon_itself_is_no_contradiction() -> None:
    """A later file, a later change, the same again; lines without a key, and states of an API's objects in order."""
    assert rivals((1, 1, "a", None, "x"), (2, 1, "a", None, "y")) == []
    assert rivals((1, 1, "a", "2024-01-01", "x"), (1, 2, "a", "2024-01-02", "y")) == []
    assert rivals((1, 1, "a", None, "x"), (1, 2, "a", None, "x")) == []
    assert rivals((1, 1, "a", None, "x"), (1, 2, "b", None, "x")) == []
    contradicted = [(1, 1, "a", None, "x"), (1, 2, "a", None, "y")]
    assert rivals(*contradicted, key=()) == []
    assert rivals(*contradicted, json={"kind": "object"}) == []


def test_a_record_in_force_that_its_own_file_contradicts(lean: Lean) -> None:
    lean.give("invoice", GOOD, ("2", *GOOD[1:]))
    lean.conform()
    lean.connection.execute(rules.RIVALS)
    rules.refuse_rivals(lean.connection, "invoices", {"toy": "AR"})
    assert lean.rows(ROW) == []
    lean.connection.execute("insert into rivals values ('toy', 't', 1, 2), ('toy', 't', 2, 1), ('other', 't', 1, 1)")
    rules.refuse_rivals(lean.connection, "invoices", {"toy": "AR"})
    said = "invoice_id erp:2 has several rows in one file of t, with different contents and the same time of change: "
    said += "deliver it again with the one that holds"
    assert lean.rows(ROW) == [
        ("toy", "invoices", "erp:2", "t", 1, 2, "DQ-RULE", said, Decimal("100.5"), "USD", "AR", LANDED)
    ]
    assert lean.rows("select invoice_id from canonical.invoices") == [("erp:1",)]


def test_a_key_that_two_systems_claim_names_them_and_the_way_out(lean: Lean) -> None:
    lean.give("invoice", GOOD)
    lean.conform()
    again = "select * replace ('shop' as system, 2 as row_number) from canonical.invoices"
    lean.connection.execute(f"insert into canonical.invoices {again}")
    rules.refuse_duplicate_keys(lean.connection, "invoices", {"toy": "AR", "shop": "GL"})
    said = (
        "invoice_id erp:1 is claimed by more than one record, of shop and toy: put a key_prefix before the ids of one"
    )
    assert lean.rows("select distinct reasons from quarantine.rows") == [(said,)]
    assert lean.rows("select system, owner from quarantine.rows order by 1") == [("shop", "GL"), ("toy", "AR")]
