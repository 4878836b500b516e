"""Verdicts at an instant: late, mismatched, financially late, and nothing on a holiday."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from finpipe.errors import FinpipeError
from finpipe.observe import Facts
from finpipe.observe.published import Count, Late, Red
from finpipe.policy import policy_of
from tests.observe.conftest import Desk, at, weekdays

# Friday 9 January 2026 is due on Monday the 12th at noon, in Berlin: 11:00 UTC.
BEFORE, AFTER = "2026-01-12 10:59", "2026-01-12 11:00"


def test_nothing_by_the_deadline_is_late_and_what_comes_then_ends_it(desk: Desk) -> None:
    desk.comes("2026-01-09 07:00")
    assert desk.kinds(BEFORE) == []
    (cause,) = desk.causes(AFTER)
    assert (cause.kind, cause.owner) == ("not arrived", "treasury")
    assert cause.sentence == (
        "nothing landed for 2026-01-09 by 2026-01-12 12:00 Europe/Berlin; the last file came 2026-01-09 07:00 UTC"
    )
    assert cause.seen["covers"] == date(2026, 1, 9)
    desk.comes("2026-01-12 13:00")
    assert desk.kinds("2026-01-12 13:01") == []


@pytest.mark.parametrize("when", ["2026-01-03 23:00", "2026-01-04 12:00", "2026-01-05 10:59"])
def test_weekends_and_holidays_turn_nothing_red(desk: Desk, when: str) -> None:
    """New Year's Day is a holiday, so what happened on Wednesday the 31st is due on Friday, and Friday's on Monday."""
    desk.comes("2026-01-01 18:00")
    assert desk.kinds(when) == []
    assert desk.states(when)["bank"] == "in time"


def test_a_system_keeps_the_calendar_that_it_names(desk: Desk) -> None:
    desk.configure('[systems.bank.due]\ncalendar = "york"\nby = "09:00"\n')
    desk.comes("2026-01-16 15:00")  # Friday 10:00 in New York, late for Thursday; Monday the 19th is a holiday there
    assert desk.kinds("2026-01-20 13:59") == []
    assert desk.kinds("2026-01-20 14:00") == ["not arrived"]


def test_silence_is_told_of_a_system_that_should_deliver_and_never_did(desk: Desk) -> None:
    assert desk.judged(AFTER).causes == ()
    desk.facts = Facts([], expected=frozenset({"bank"}))
    assert desk.kinds(AFTER) == ["never arrived"]


def test_an_expected_file_that_does_not_come_with_the_others_is_told(desk: Desk) -> None:
    desk.configure('[systems.bank.due]\nexpects = ["statement_EUR*", "statement_USD*"]\n')
    desk.comes("2026-01-12 07:00", name="statement_EUR_2026-01-09.csv")
    (cause,) = desk.causes(AFTER)
    assert (cause.kind, cause.detail) == ("expected file missing", "statement_USD*")


def test_files_that_bring_nothing_new_are_late(desk: Desk) -> None:
    desk.comes("2026-01-12 07:00")
    desk.publishes(days={"bank": {"bank_transactions": [date(2026, 1, 6)]}})
    assert desk.kinds(AFTER) == []  # three business days may be quiet
    desk.publishes(days={"bank": {"bank_transactions": [date(2026, 1, 5)]}})
    (cause,) = desk.causes(AFTER)
    assert cause.sentence == (
        "files arrive, but the newest business event is of 2026-01-05; it should be of 2026-01-06 or later"
    )
    desk.comes("2026-01-12 10:30", is_published=False)  # it may hold what is missing
    assert desk.kinds(AFTER) == []


def test_a_day_missing_in_the_middle_is_told_where_business_is_seen_every_day(desk: Desk) -> None:
    desk.comes("2026-01-12 07:00")
    every = [d for d in weekdays(date(2025, 9, 1), date(2026, 1, 9)) if d != date(2026, 1, 1)]
    for gone, kinds in (
        ([], []),
        ([date(2025, 12, 10)], ["day missing"]),
        ([date(2025, 12, 10), date(2025, 12, 11)], ["day missing"]),
        ([date(2025, 12, 10), date(2025, 11, 11)], []),  # not seen every day, so nothing can be missing
        ([date(2025, 9, 10)], []),  # too long ago
    ):
        desk.publishes(days={"bank": {"bank_transactions": [d for d in every if d not in gone]}})
        assert desk.kinds(AFTER) == kinds, gone


def test_counts_far_from_the_usual_are_mismatched(desk: Desk) -> None:
    desk.comes("2026-01-12 07:00")
    usual = [100, 90, 110, 95, 105, 100, 99, 101]
    for rows, before, kinds in (
        (100, usual, []),
        (9, usual, ["unusual count"]),
        (1001, usual, ["unusual count"]),
        (0, usual, ["unusual count"]),
        (0, usual[:7], []),  # too few files to know
        (0, [3] * 9, []),  # too small to tell
    ):
        desk.publishes(counts=(Count("bank", "statement_line", "s.csv", rows, before),))
        assert desk.kinds(AFTER) == kinds, rows
        assert desk.states(AFTER)["bank"] == ("mismatched" if kinds else "in time")


def test_refused_and_set_aside_files_are_told_one_by_one(desk: Desk) -> None:
    desk.comes("2026-01-12 07:00")
    desk.publishes(refused=(("bank", "a.csv", "torn"),))
    desk.facts = replace(desk.facts, aside={"bank": ["b.csv"]})
    assert [c.key for c in desk.causes(AFTER)] == ["bank / refused / a.csv", "bank / set aside / b.csv"]


def test_control_totals_and_reconciliations_out_of_tolerance_name_their_owners(desk: Desk) -> None:
    red = (
        Red("R05", "billing-erp", "ar", "billing ↔ ERP", 3, 1, "3.00 USD"),
        Red("R16", "bank-balance", "treasury", "stated ↔ moved", 1, 1, "0.01 EUR"),
    )
    desk.publishes(red=red)
    assert [(c.kind, c.owner) for c in desk.causes(AFTER, "reconciliations")] == [
        ("out of tolerance", "ar"),
        ("control total", "treasury"),
    ]


def test_late_milestones_are_shown_apart_and_leave_the_data_in_time(desk: Desk) -> None:
    late = (
        Late("invoice", "EUR", 2, 12, Decimal("100.0000")),
        Late("invoice", "USD", 1, 30, Decimal("50.0000")),
    )
    desk.publishes(late=late)
    (cause,) = desk.causes(AFTER, "quote_to_cash")
    assert cause.sentence == "3 bookings miss their milestone invoice, by 30 weekdays at most"
    assert cause.seen["EUR"] == "100.0000"
    assert desk.states(AFTER)["quote_to_cash"] == "financially late"
    assert desk.states(AFTER)["figures"] == "in time"


def test_a_mart_is_late_when_what_is_published_does_not_cover_its_period(
    desk: Desk, say: Callable[[str], None]
) -> None:
    say(
        '[due.close_us]\nmart = "trial_balance"\ncalendar = "york"\n'
        'cadence = "monthly"\nworking_day = 2\nby = "18:00"\n'
    )
    desk.publishes(as_of=date(2025, 12, 30), published_at=at("2025-12-30 20:00"))
    assert desk.kinds("2026-01-02 22:59", "close_us") == []
    (cause,) = desk.causes("2026-01-02 23:00", "close_us")
    assert cause.sentence == ("trial_balance shows 2025-12-30; 2025-12-31 was due 2026-01-02 18:00 America/New_York")
    desk.publishes(as_of=date(2025, 12, 31))
    assert desk.kinds("2026-01-02 23:00", "close_us") == []


def test_a_mart_that_nobody_makes_is_told(desk: Desk, say: Callable[[str], None]) -> None:
    say('[due.trail_balance]\ncadence = "monthly"\n')
    desk.publishes()
    (cause,) = desk.causes(AFTER, "trail_balance")
    assert "no such table is published" in cause.sentence


def test_a_folder_that_nobody_takes_files_from_is_told(desk: Desk) -> None:
    desk.facts = Facts([], unread={"bnak": "no system is called so"})
    (cause,) = desk.causes(AFTER, "inbox")
    assert cause.sentence == "inbox/bnak is left alone: no system is called so"
    assert desk.states(AFTER)["inbox"] == "mismatched"


def test_landed_files_that_wait_too_long_are_told(desk: Desk) -> None:
    desk.publishes()
    desk.comes("2026-01-12 07:00", is_published=False)
    assert desk.kinds("2026-01-12 11:00", "publication") == []
    assert desk.kinds("2026-01-12 11:01", "publication") == ["waiting to be published"]


def test_a_clock_that_went_back_is_noticed_and_nothing_breaks(desk: Desk) -> None:
    desk.comes("2026-01-12 07:00")
    desk.publishes(days={"bank": {"bank_transactions": [date(2026, 1, 9)]}})
    assert desk.kinds("2026-01-12 06:56", "clock") == []
    (cause,) = desk.causes("2019-05-01 00:00", "clock")
    assert cause.sentence == (
        "the clock says 2019-05-01 00:00 UTC, but files were landed or published at 2026-01-12 07:00 UTC"
    )


def test_a_system_that_was_replaced_owes_nothing(desk: Desk) -> None:
    desk.configure('[systems.bank_2]\nlike = "bank"\nreplaces = "bank"\n')
    desk.comes("2026-01-02 07:00")
    assert "bank" not in desk.states(AFTER)


def test_the_same_facts_at_the_same_instant_give_the_same_verdicts(desk: Desk) -> None:
    desk.comes("2026-01-02 07:00")
    desk.publishes()
    assert desk.judged(AFTER) == desk.judged(AFTER)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('cadence = "hourly"', "cadence"),
        ('calendar = "mars"', "mars"),
        ('by = "25:00"', "hour"),
        ("working_day = -1", "working_day"),
        ("cadence_hours = 24", "cadence_hours"),
    ],
)
def test_what_cannot_be_due_is_told_of_its_system_alone(desk: Desk, text: str, said: str) -> None:
    desk.configure(f"[systems.bank.due]\n{text}\n")
    ((name, problem),) = desk.rules.unread.items()
    assert (name, desk.rules.systems["bank"].cadence) == ("bank", "none")
    assert said in problem.got
    assert "[systems.bank.due]" in problem.where


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[calendars.x]\ntimezone = "Mars/Base"', 7),
        ('[calendars.company]\nholidays = ["2026-01-01"]', 5),
        ("[calendars.x]\nweekend = [1, 2, 3, 4, 5, 6, 7]", 7),
        ('[due.trial_balance]\nby = "noon"', 7),
        ("[freshness]\npublish_hours = 0", 8),
        ("[freshness]\npublish_minutes = 3", 8),
        ('[alerts.targets.x]\nchannel = "pigeon"', 7),
        ('[alerts.targets.x]\nchannel = "chat"\nurl = "https://x"', 7),
        ('[alerts.routes.x]\nto = ["nowhere"]', 7),
        ('[alerts.routes.x]\nto = ["log"]\nowners = ["tresury"]', 7),
        ("[alerts.rules]\nx = 1", 7),
        ('[alerts.severities]\n"not arrived" = "awful"', 8),
    ],
)
def test_what_the_policy_cannot_mean_is_refused_with_its_line(
    desk: Desk, say: Callable[[str], None], text: str, line: int
) -> None:
    if text.startswith("[calendars.company]"):
        path = desk.home.root / "policies.toml"
        path.write_text(path.read_text().replace('{ timezone = "Europe/Berlin" }', "{ holidays = [] }"))
    else:
        say(text)
    with pytest.raises(FinpipeError) as refused:
        _ = desk.rules
    assert refused.value.where.endswith(f"policies.toml, line {line}")


def test_time_and_routes_are_no_part_of_the_policys_version(desk: Desk, say: Callable[[str], None]) -> None:
    before = policy_of(desk.home).version
    say("[freshness]\npublish_hours = 9\n")
    assert policy_of(desk.home).version == before
