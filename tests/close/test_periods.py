"""Which periods a word means, and where they stand once decisions are laid over the last build."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from finpipe.close import Period, digests, meant, periods
from finpipe.close.checklist import Line, _calendar, _line, _order
from finpipe.close.figures import identified
from finpipe.errors import FinpipeError


def period(name: str, month: int, entity: str = "erp:1", **more: Any) -> Period:
    """An open month of 2025."""
    ends_on = date(2025, month + 1, 1).fromordinal(date(2025, month + 1, 1).toordinal() - 1)
    nothing = (None, None, None, None, None, 0, 0)
    own = Period(entity, name, "FY2025 Q1", date(2025, month, 1), ends_on, "open", "none", *nothing, is_whole=True)
    return replace(own, **more)


JAN, FEB, MAR = period("Jan 2025", 1), period("Feb 2025", 2), period("Mar 2025", 3)
OTHER = period("Jan 2025", 1, "erp:2")
KNOWN = [JAN, FEB, MAR, OTHER]


def test_a_word_means_a_name_a_quarter_or_a_month_of_one_entity_or_of_all() -> None:
    assert meant(KNOWN, " jan 2025 ", None, "here") == [JAN, OTHER]
    assert meant(KNOWN, "FY2025 q1", "1", "here") == [JAN, FEB, MAR]
    assert meant(KNOWN, "2025-02", "erp:1", "here") == [FEB]
    colon = replace(JAN, legal_entity_id="erp:us:1")
    assert meant([JAN, colon], "2025-01", "us:1", "here") == [colon]


def test_a_month_is_meant_only_where_a_period_is_that_whole_month() -> None:
    weeks = replace(FEB, period="P02", starts_on=date(2025, 1, 27), ends_on=date(2025, 2, 23))
    across = replace(FEB, period="P02", ends_on=date(2025, 3, 2))
    for one in (weeks, across):
        with pytest.raises(FinpipeError, match="there is no such period"):
            meant([one], "2025-02", None, "here")


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(FinpipeError, match="there is no such entity") as refused:
        meant(KNOWN, "Jan 2025", "9", "here")
    assert refused.value.error == "there is no such entity"
    assert (refused.value.where, refused.value.got, refused.value.fix) == ("here", "9", "one of: erp:1, erp:2")
    with pytest.raises(FinpipeError, match="there is no such period") as refused:
        meant(KNOWN, "Dec 1999", "1", "here")
    assert refused.value.error == "there is no such period"
    said = "finpipe periods lists them, such as Jan 2025, Feb 2025, Mar 2025"
    assert (refused.value.where, refused.value.got, refused.value.fix) == ("here", "Dec 1999", said)


def test_the_last_six_periods_are_named_and_none_where_there_is_none() -> None:
    year = [period(f"P{month:02}", month) for month in range(1, 9)]
    with pytest.raises(FinpipeError) as refused:
        meant(year, "P99", None, "here")
    assert refused.value.fix == "finpipe periods lists them, such as P03, P04, P05, P06, P07, P08"
    with pytest.raises(FinpipeError) as refused:
        meant([], "P01", None, "here")
    assert (refused.value.got, refused.value.fix) == ("None", "one of: none")


def decision(kind: str, subject: str, by: str, **payload: Any) -> dict[str, Any]:
    return {"kind": kind, "subject": subject, "decided_by": by, "payload": json.dumps(payload)}


def told(*since: dict[str, Any]) -> Period:
    """January of the first entity after decisions."""
    with duckdb.connect() as connection:
        names = [n for n in Period.__dataclass_fields__ if n != "is_waiting"]
        types = {"starts_on": "date", "ends_on": "date", "publication": "bigint", "moved_count": "bigint",
                 "unadjusted_count": "bigint", "is_whole": "boolean"}  # fmt: skip
        columns = [f"{n} {types.get(n, 'varchar')}" for n in names]
        connection.execute(f"create table periods ({', '.join(columns)})")
        for one in (OTHER, FEB, JAN):
            connection.execute(
                f"insert into periods values ({', '.join('?' * len(names))})", [getattr(one, n) for n in names]
            )
        found = periods(connection, "main", since)
    assert [p.subject for p in found] == ["erp:1/2025-01-31", "erp:1/2025-02-28", "erp:2/2025-01-31"]
    assert found[1:] == [FEB, OTHER]
    return found[0]


def test_a_period_stands_where_the_last_decision_about_it_left_it() -> None:
    proposed = decision("close_prepare", JAN.subject, "ann", close_id="c1")
    signed = decision(
        "close_signoff", JAN.subject, "bo", close_id="c1", lock="all", publication=7, evidence="e", pack="p"
    )
    locked = replace(
        JAN, state="locked", sign_off="signed", close_id="c1", prepared_by="ann", signed_by="bo", publication=7,
        evidence="e", is_waiting=True,
    )  # fmt: skip
    assert told() == JAN
    assert told(proposed) == replace(
        JAN, state="proposed", sign_off="prepared", close_id="c1", prepared_by="ann", is_waiting=True
    )
    assert told(proposed, signed) == locked
    assert told(proposed | {"payload": {"close_id": "c1"}}) == told(proposed)  # landed by hand, as an object
    ar = signed | {"payload": json.dumps(json.loads(signed["payload"]) | {"lock": "ar"})}
    assert told(proposed, ar).state == "ar_locked"
    reopened = told(proposed, signed, decision("close_reopen", JAN.subject, "cy"))
    assert (reopened.state, reopened.sign_off, reopened.close_id) == ("reopened", "none", None)
    assert (reopened.prepared_by, reopened.signed_by, reopened.is_waiting) == (None, None, True)
    assert told(decision("waive", JAN.subject, "cy")) == JAN
    assert told(decision("close_prepare", "erp:9/2025-01-31", "ann", close_id="c9")) == JAN


def test_a_line_shows_five_sentences_and_how_many_more() -> None:
    assert _line("a", "b", []) == Line("a", holds=True, number=0, said="b")
    assert _line("a", "b", list("12345")) == Line("a", False, 5, "b", tuple("12345"))
    assert _line("a", "b", list("123456")) == Line("a", False, 6, "b", (*"12345", "and 1 more"))


def test_earlier_periods_must_be_closed_once_any_is() -> None:
    assert _order([FEB], KNOWN).holds  # the first close of an entity may be of any period
    closed = replace(JAN, state="locked")
    assert _order([FEB], [closed, FEB, MAR, OTHER]).holds
    assert _order([MAR], [closed, FEB, MAR, OTHER]).open == ("erp:1: Feb 2025 is open",)
    assert _order([FEB, MAR], [closed, FEB, MAR, OTHER]).holds
    before = _order([JAN], [JAN, replace(FEB, state="ar_locked")])
    said = ("earlier periods still open", ("erp:1: Feb 2025 was closed before",))
    assert before == Line("earlier periods are closed", False, 1, *said)
    assert _order([closed], [closed, FEB]).holds  # receivables were locked, now everything is
    other = replace(OTHER, state="locked")
    later = [replace(one, legal_entity_id="erp:2") for one in (FEB, MAR)]
    both = _order([MAR, later[1]], [closed, FEB, MAR, other, *later])
    assert both.open == ("erp:1: Feb 2025 is open", "erp:2: Feb 2025 is open")


def test_a_calendar_with_a_gap_is_said() -> None:
    assert _calendar([JAN, FEB]).holds
    line = _calendar([JAN, replace(FEB, is_whole=False)])
    assert line.open == ("erp:1: Feb 2025 to 2025-02-28 leaves a gap or overlaps its neighbour",)


def test_a_digest_is_over_the_figures_as_they_are_written() -> None:
    """Anybody can compute it: each figure as a list in JSON, dates as days, the rest as text."""
    row = {"measure": "ar", "on": date(2025, 1, 31), "label": "Größe", "amount": Decimal("1.50"), "document_id": None}
    text = '["ar", "2025-01-31", "Größe", "1.50", null]'
    assert digests([row, row]) == {"ar": hashlib.sha256(2 * text.encode()).hexdigest()[:32]}


def test_equal_figures_have_equal_digests_and_each_an_id_of_its_own() -> None:
    row = {"period_ends_on": date(2025, 1, 31), "legal_entity_id": "erp:1", "measure": "ar", "kind": "movement",
           "origin_ends_on": None, "part": "invoice", "document_id": "erp:7", "currency": "USD", "amount": "1.00",
           "functional_currency": "USD"}  # fmt: skip
    other = row | {"measure": "ledger"}
    assert digests([row, other]) == digests([dict(row), dict(other)])
    assert list(digests([other, row])) == ["ar", "ledger"]
    assert digests([row]) != digests([row | {"amount": "1.01"}])
    ids = {one["id"] for changed in (row, other, row | {"document_id": "erp:8"}) for one in identified([changed], "c1")}
    assert len(ids) == 3
    assert identified([row], "c1")[0]["id"] != identified([row], "c2")[0]["id"]
