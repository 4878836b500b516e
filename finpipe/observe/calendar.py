"""Business calendars: which days are worked, and when a deadline is, at the place where it is kept.

Belongs here: arithmetic over business days and local times.  Does not belong here: which holidays there are (the
policy says so, once: ``[business_hours]`` for the company's own calendar, ``[calendars.<name>]`` for others).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: A calendar without a business day in so many days is a mistake of whoever wrote its holidays.
_LONGEST_PAUSE_DAYS = 60
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Days that are worked at one place. ``weekend`` holds ISO weekdays: 6 Saturday, 7 Sunday."""

    name: str
    timezone: ZoneInfo
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({6, 7})

    def is_business_day(self, day: date) -> bool:
        """Whether the day is worked."""
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def after(self, day: date, number: int) -> date:
        """The ``number``-th business day after ``day``; 0 is the day itself, or the next one worked."""
        found = day
        if number == 0:
            return found if self.is_business_day(found) else self.after(found, 1)
        for _ in range(number):
            found = self._next(found, _DAY)
        return found

    def before(self, day: date, number: int) -> date:
        """The ``number``-th business day before ``day``; 0 is the day itself, or the last one worked."""
        if number == 0:
            return day if self.is_business_day(day) else self.before(day, 1)
        found = day
        for _ in range(number):
            found = self._next(found, -_DAY)
        return found

    def between(self, first: date, last: date) -> list[date]:
        """Business days from ``first`` to ``last``, both included."""
        return [d for n in range((last - first).days + 1) if self.is_business_day(d := first + n * _DAY)]

    def today(self, at: datetime) -> date:
        """The date at this place."""
        return at.astimezone(self.timezone).date()

    def instant(self, day: date, clock: time) -> datetime:
        """A local time as an instant. A time that the change to summer time skips is the one an hour later."""
        return datetime.combine(day, clock, self.timezone).astimezone(UTC)

    def hours_between(self, since: datetime, until: datetime, opens: time, hours: int) -> float:
        """Business hours from one instant to another; none when time went backwards."""
        first, last = self.today(since), self.today(until)
        if until <= since or (last - first).days > 3660:
            return 0.0 if until <= since else float("inf")
        total = timedelta()
        for day in self.between(first, last):
            begins = self.instant(day, opens)
            total += max(timedelta(), min(until, begins + timedelta(hours=hours)) - max(since, begins))
        return total / timedelta(hours=1)

    def _next(self, day: date, step: timedelta) -> date:
        for _ in range(_LONGEST_PAUSE_DAYS):
            day += step
            if self.is_business_day(day):
                return day
        return day
