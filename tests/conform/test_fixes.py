"""Fixes: an overlay on mapped rows that holds for the value it was made for, with an account of every cell."""

import json
from typing import Any

from .conftest import Toy


def decide(
    toy: Toy, number: int, row_key: str, becomes: dict[str, Any], was: dict[str, Any], entity: str = "invoices"
) -> None:
    """Put an accepted decision to fix where the gate would; conform must have run once."""
    payload = {"entity": entity, "row_key": row_key, "set": becomes, "was": was}
    toy.connection.execute(
        """
        insert into canonical.decisions by name
        select ? as decision_id, 'fix' as kind, 'e' as subject, 'ann' as decided_by,
            timestamptz '2024-02-01 00:00:00+00' + to_minutes(?) as decided_at, date '2024-02-01' as as_of_on,
            'r' as reason, ? as payload, 's' as system, 'i' as source_id,
            timestamptz '2024-02-01 00:00:00+00' as recorded_at, false as is_deleted, 't' as source_table,
            1 as load_seq, 1 as row_number, 'h' as row_hash, 'v' as contract_version""",
        [f"decisions:{number}", number, json.dumps(payload)],
    )


def account(toy: Toy) -> list[tuple[object, ...]]:
    return toy.rows("select decision_id, column_name, verdict, why from quarantine.fixes order by all")


def totals(toy: Toy) -> list[tuple[object, ...]]:
    return toy.rows("select source_id, total_amount::varchar from canonical.invoices order by 1")


def test_a_fix_lets_a_refused_row_through_and_only_its_entity_is_worked_on(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "1,000"), ("2", "2024-01-31", "USD", "5"))
    toy.conform()
    assert totals(toy) == [("2", "5.0000")]
    cells = ("gross_amount", "net_amount", "total_amount")
    decide(toy, 1, "erp:1", dict.fromkeys(cells, "1000.00"), dict.fromkeys(cells, "1,000"))
    report = toy.conform()
    assert totals(toy) == [("1", "1000.0000"), ("2", "5.0000")]
    assert toy.rows("select count(*) from quarantine.rows") == [(0,)]
    assert account(toy) == [("decisions:1", c, "applied", None) for c in cells]
    assert "invoices" in report.touched
    assert "journal_events" not in report.touched
    assert toy.raw("select total from latest_toy.invoice where id = '1'") == [("1,000",)]
    assert toy.conform().touched == ()


def test_once_the_source_says_something_else_it_is_believed(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "70"))
    toy.conform()
    decide(toy, 1, "erp:1", {"total_amount": "99"}, {"total_amount": "5"})
    toy.conform()
    assert totals(toy) == [("1", "70.0000")]
    assert account(toy) == [("decisions:1", "total_amount", "not applied", "the source now says 70")]


def test_the_value_it_was_made_for_may_be_spelt_otherwise(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "70"))
    toy.conform()
    decide(toy, 1, "erp:1", {"total_amount": "71"}, {"total_amount": "70.0000"})
    toy.conform()
    assert totals(toy) == [("1", "71.0000")]


def test_of_two_fixes_of_a_cell_the_later_holds(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "70"))
    toy.conform()
    decide(toy, 2, "erp:1", {"total_amount": "72"}, {"total_amount": "70"})
    decide(toy, 1, "erp:1", {"total_amount": "71"}, {"total_amount": "70"})
    toy.conform()
    assert totals(toy) == [("1", "72.0000")]
    assert account(toy)[0][2:] == ("not applied", "a later fix of the same cell stands")


def test_a_bad_value_is_refused_at_the_gate_like_any_other(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "70"))
    toy.conform()
    decide(toy, 1, "erp:1", {"total_amount": "seventy"}, {"total_amount": "70"})
    toy.conform()
    ((reasons,),) = toy.rows("select reasons from quarantine.rows")
    assert "total_amount is 'seventy'" in str(reasons)


def test_what_names_nothing_is_told_and_harms_nobody(toy: Toy) -> None:
    toy.give("invoice", ("1", "2024-01-31", "USD", "70"))
    toy.conform()
    decide(toy, 1, "erp:9", {"total_amount": "1"}, {})
    decide(toy, 2, "erp:1", {"nonsense": "1"}, {})
    decide(toy, 3, "erp:1", {"total_amount": "1"}, {}, entity="nowhere")
    toy.connection.execute("update canonical.decisions set payload = 'no json' where decision_id = 'decisions:3'")
    toy.conform()
    assert totals(toy) == [("1", "70.0000")]
    assert [row[3] for row in account(toy)] == [
        "no system gives a row of this key",
        "invoices has no column nonsense that can be fixed",
        "it names no entity, row_key and columns to set",
    ]
    toy.conform()
    assert len(account(toy)) == 3
