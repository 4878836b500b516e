"""Business days and local deadlines."""

from datetime import date, time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from finpipe.observe.calendar import Calendar
from finpipe.observe.due import Due, deadline, last_deadline
from tests.observe.conftest import Desk, at

BERLIN = Calendar(
    "berlin", ZoneInfo("Europe/Berlin"), frozenset({date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6)})
)
GULF = Calendar("gulf", ZoneInfo("Asia/Dubai"), weekend=frozenset({5, 6}))
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_holidays_and_weekends_are_no_business_days() -> None:
    assert BERLIN.after(date(2025, 12, 31), 1) == date(2026, 1, 2)
    assert BERLIN.after(date(2026, 4, 2), 1) == date(2026, 4, 7)  # Good Friday to Easter Monday
    assert GULF.after(date(2026, 1, 1), 1) == date(2026, 1, 4)  # Thursday to Sunday


@given(DAYS, st.integers(1, 40))
def test_forth_and_back_again(day: date, number: int) -> None:
    worked = BERLIN.after(day, 0)
    assert BERLIN.before(BERLIN.after(worked, number), number) == worked
    assert len(BERLIN.between(worked, BERLIN.after(worked, number))) == number + 1


def test_a_deadline_is_at_its_own_place_winter_and_summer() -> None:
    due = Due("daily", BERLIN, 1, time(18))
    assert deadline(due, date(2026, 1, 5)) == at("2026-01-06 17:00")
    assert deadline(due, date(2026, 7, 6)) == at("2026-07-07 16:00")
    skipped = Due("daily", Calendar("b", ZoneInfo("Europe/Berlin"), weekend=frozenset()), 1, time(2, 30))
    assert deadline(skipped, date(2026, 3, 28)) == at("2026-03-29 01:30")  # 02:30 does not exist on that night


def test_working_day_two_of_a_month_counts_the_holidays() -> None:
    due = Due("monthly", BERLIN, 2, time(18))
    assert deadline(due, date(2025, 12, 31)) == at("2026-01-05 17:00")  # 1 January is none, 2 January a Friday
    owed = last_deadline(due, at("2026-01-05 16:59"))
    assert owed is not None
    assert owed.covers == date(2025, 11, 30)
    owed = last_deadline(due, at("2026-01-05 17:00"))
    assert owed is not None
    assert owed.covers == date(2025, 12, 31)


@given(st.datetimes(at("2021-01-01 00:00").replace(tzinfo=None), at("2030-01-01 00:00").replace(tzinfo=None)))
def test_the_last_deadline_has_passed_and_the_next_has_not(moment) -> None:  # type: ignore[no-untyped-def]
    now = at(moment.isoformat())
    for cadence in ("daily", "weekly", "monthly"):
        owed = last_deadline(Due(cadence, BERLIN, 2, time(9)), now)
        assert owed is not None
        assert owed.since < owed.at <= now


def test_business_hours_stop_at_night_and_never_run_backwards() -> None:
    friday, monday = at("2026-01-09 15:00"), at("2026-01-12 09:00")  # 16:00 and 10:00 in Berlin
    assert BERLIN.hours_between(friday, monday, time(9), 8) == 2.0
    assert BERLIN.hours_between(monday, friday, time(9), 8) == 0.0


def test_holidays_of_the_company_are_stated_once(desk: Desk) -> None:
    assert not desk.rules.company.is_business_day(date(2026, 1, 1))
    assert desk.rules.calendars["york"].is_business_day(date(2026, 1, 1))
    assert not desk.rules.calendars["york"].is_business_day(date(2026, 1, 19))
