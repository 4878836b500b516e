"""What becomes of an exception: who has it, what was decided, when it is due, and when the data close it."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.build.keep import full
from finpipe.policy import policy_of
from finpipe.settings import Home

from .queue import MODELS, Queue

# 2025-01-06 is a Monday.
MONDAY, TUESDAY, FRIDAY = "2025-01-06", "2025-01-07", "2025-01-10"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    nodes = full(tmp_path_factory.mktemp("dbt"))["nodes"]
    return {name: nodes[f"model.finpipe.{name}"]["compiled_code"] for name in MODELS}


@pytest.fixture
def queue(tmp_path: Path, compiled: dict[str, str]) -> Iterator[Queue]:
    made = Queue(tmp_path, compiled, policy_of(Home(tmp_path)))
    yield made
    made.connection.close()


def test_an_exception_that_stays_is_the_same_one_since_the_same_day(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    (row,) = queue.build(FRIDAY, "x")
    assert (row["state"], row["spell"]) == ("open", 1)
    assert [str(row[c]) for c in ("first_seen_on", "open_since_on", "last_seen_on")] == [MONDAY, MONDAY, FRIDAY]
    assert queue.events("x") == [("seen", 1, MONDAY)]


def test_the_data_close_it_and_history_says_when(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    assert queue.build(TUESDAY) == []
    assert queue.build(FRIDAY) == []
    assert queue.events("x") == [("seen", 1, MONDAY), ("gone", 1, TUESDAY)]


def test_one_that_comes_back_begins_anew_and_old_decisions_do_not_hold(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    old = queue.decide("assign", "x", assignee="bo")
    queue.build(TUESDAY)
    (row,) = queue.build(FRIDAY, "x")
    assert [str(row[c]) for c in ("state", "spell", "open_since_on", "first_seen_on")] == ["open", "2", FRIDAY, MONDAY]
    assert queue.verdicts()[old][0] == "ended"
    assert queue.events("x") == [("seen", 1, MONDAY), ("gone", 1, TUESDAY), ("seen", 2, FRIDAY)]


def test_it_may_come_and_go_within_a_day(queue: Queue) -> None:
    for found in ([], ["x"], [], ["x"]):
        queue.build(MONDAY, *found)
    assert queue.one("x")["spell"] == 2
    assert queue.events("x") == [("seen", 1, MONDAY), ("gone", 1, MONDAY), ("seen", 2, MONDAY)]


def test_looking_back_witnesses_nothing(queue: Queue) -> None:
    queue.build(FRIDAY, "x")
    queue.build(FRIDAY, "x")
    (row,) = queue.build(MONDAY, "y")
    assert str(row["open_since_on"]) == MONDAY
    assert queue.events("y") == []
    assert queue.events("x") == [("seen", 1, FRIDAY)]


def test_from_open_to_approved_and_never_by_the_same_person(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    queue.decide("assign", "x", assignee="bo")
    assert (queue.again()[0]["state"], queue.one("x")["assigned_to"]) == ("assigned", "bo")
    queue.decide("resolve", "x", by="bo")
    assert (queue.again()[0]["state"], queue.one("x")["prepared_by"]) == ("resolved", "bo")
    own = queue.decide("approve", "x", by=" BO ")
    assert queue.again()[0]["state"] == "resolved"
    assert queue.verdicts()[own] == ("refused", "who prepared it cannot approve it")
    queue.decide("approve", "x", by="cleo")
    assert (queue.again()[0]["state"], queue.one("x")["approved_by"]) == ("approved", "cleo")


def test_of_two_opposite_decisions_the_later_stands_and_both_are_kept(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    first = queue.decide("waive", "x", expires_on="2025-12-31", amount=100)
    assert queue.again()[0]["state"] == "waived"
    second = queue.decide("reopen", "x", by="bo")
    assert queue.again()[0]["state"] == "open"
    assert queue.verdicts() == {first: ("replaced", "a later decision stands"), second: ("in force", None)}


def test_a_waiver_ends_with_its_day_and_with_another_amount(queue: Queue) -> None:
    queue.build(MONDAY, "x")
    queue.decide("waive", "x", expires_on=TUESDAY, amount=100)
    assert queue.build(TUESDAY, "x")[0]["waiver"] == "in force"
    (row,) = queue.build("2025-01-08", "x")
    assert (row["state"], row["waiver"]) == ("open", "expired")
    queue.decide("waive", "x", expires_on="2025-12-31", amount=100)
    assert queue.again()[0]["state"] == "waived"
    (row,) = queue.build(FRIDAY, "x", amount=Decimal("100.01"))
    assert (row["state"], row["waiver"]) == ("open", "amount changed")


def test_a_waiver_above_the_threshold_waits_for_another_person_and_blocks_until_then(queue: Queue) -> None:
    queue.build(MONDAY, "x", severity="blocking", needs_second_person=True)
    waiver = queue.decide("waive", "x", expires_on="2025-12-31", amount=100)
    (row,) = queue.again()
    assert (row["state"], row["waiver"], row["is_blocking"]) == ("open", "waits for approval", True)
    queue.decide("approve", "x", by="ann", approves=waiver)
    assert queue.again()[0]["is_blocking"]
    queue.decide("approve", "x", by="cleo", approves=waiver)
    (row,) = queue.again()
    assert (row["state"], row["is_blocking"], row["escalation"]) == ("waived", False, None)


def test_an_approval_is_of_what_was_looked_at(queue: Queue) -> None:
    queue.build(MONDAY, "x", needs_second_person=True)
    first = queue.decide("waive", "x", expires_on="2025-01-31", amount=100)
    queue.decide("waive", "x", expires_on="2026-01-31", amount=100)
    late = queue.decide("approve", "x", by="cleo", approves=first)
    assert queue.again()[0]["waiver"] == "waits for approval"
    assert queue.verdicts()[late] == ("replaced", "a later decision stands")


def test_decisions_that_cannot_hold_are_refused_with_the_reason(queue: Queue) -> None:
    queue.build(MONDAY, "x", "y")
    queue.build(TUESDAY, "y")
    queue.build(FRIDAY, "y")
    said = [
        queue.decide("waive", "nobody", expires_on="2025-12-31"),
        queue.decide("resolve", "x"),
        queue.decide("approve", "y"),
        queue.decide("waive", "y"),
        queue.decide("assign", "y"),
    ]
    queue.again()
    assert [queue.verdicts()[d] for d in said] == [
        ("refused", "there is no such exception"),
        ("refused", f"it was closed by the data on {TUESDAY}"),
        ("refused", "nothing to approve"),
        ("refused", "a waiver needs the date on which it ends"),
        ("refused", "it names nobody to act"),
    ]
    assert queue.one("y")["state"] == "open"


@pytest.mark.parametrize(
    ("since", "hours", "due"),
    [
        (MONDAY, 4, "2025-01-06 13:00"),
        (MONDAY, 8, "2025-01-06 17:00"),
        (MONDAY, 9, "2025-01-07 10:00"),
        (FRIDAY, 16, "2025-01-13 17:00"),  # over a weekend
        ("2025-01-11", 8, "2025-01-13 17:00"),  # from a Saturday
        (MONDAY, 40, "2025-01-10 17:00"),
    ],
)
def test_hours_to_act_are_business_hours(queue: Queue, since: str, hours: int, due: str) -> None:
    (row,) = queue.build(since, "x", sla_hours=hours)
    assert row["due_at"] == datetime.fromisoformat(due)


def test_a_holiday_is_no_business_day(tmp_path: Path, compiled: dict[str, str]) -> None:
    (tmp_path / "policies.toml").write_text('[business_hours]\nholidays = ["2025-01-07"]\n')
    queue = Queue(tmp_path, compiled, policy_of(Home(tmp_path)))
    (row,) = queue.build(MONDAY, "x", sla_hours=16)
    assert row["due_at"] == datetime.fromisoformat("2025-01-08 17:00")


@pytest.mark.parametrize(
    ("day", "step"),
    [(MONDAY, "owner"), (TUESDAY, "lead"), ("2025-01-08", "controller"), ("2025-01-09", "controller"), (FRIDAY, "cfo")],
)
def test_it_climbs_at_one_two_and_four_times_its_hours(queue: Queue, day: str, step: str) -> None:
    queue.build(MONDAY, "x", sla_hours=8)
    assert queue.build(day, "x", sla_hours=8)[0]["escalation"] == step


def test_a_flood_of_one_cause_is_one_line(queue: Queue) -> None:
    queue.build(MONDAY, *(f"x{i}" for i in range(30)))
    queue.decide("waive", "x1", expires_on="2025-12-31", amount=100)
    queue.again()
    (group,) = queue.rows("from marts.exception_groups")
    assert (group["exception_count"], group["waived_count"], group["amount"]) == (30, 1, Decimal(3000))
