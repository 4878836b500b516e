"""When something is due, in business terms: for which period, by which instant.

Belongs here: cadence, working day and time as deadlines.  Does not belong here: whether it came (``judge``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from finpipe.observe.calendar import Calendar

CADENCES = ("daily", "weekly", "monthly", "none")
_DAY = timedelta(days=1)
#: How many days back the last deadline of a cadence is looked for: its period and the longest way to its deadline.
_LOOK_BACK = {"daily": 90, "weekly": 120, "monthly": 200}


@dataclass(frozen=True)
class Due:
    """What is expected how often: by ``by`` on the ``working_day``-th business day after each period ended.

    ``expects`` are patterns of file names, or names of tables, that must come each time; none = any file will do.
    ``quiet_days`` is how many business days may pass without a business event although files arrive.
    """

    cadence: str
    calendar: Calendar
    working_day: int = 1
    by: time = time(9)
    expects: tuple[str, ...] = ()
    quiet_days: int = 3
    #: When business ends for the day: what comes later is of this day, what comes before may still be of the last.
    closes: time = time(17)


@dataclass(frozen=True)
class Deadline:
    """One obligation: the last day it covers, since when something for it can come, and when it was due."""

    covers: date
    since: datetime
    at: datetime


def last_deadline(due: Due, at: datetime) -> Deadline | None:
    """The newest deadline that has passed; none when nothing is due ever."""
    if due.cadence == "none":
        return None
    passed = [(end, instant) for end in _ends(due, at) if (instant := deadline(due, end)) <= at]
    if not passed:
        return None
    covers, instant = passed[-1]
    return Deadline(covers, due.calendar.instant(covers, due.closes if due.working_day else time()), instant)


def deadline(due: Due, covers: date) -> datetime:
    """When the period that ends on ``covers`` is due."""
    return due.calendar.instant(due.calendar.after(covers, due.working_day), due.by)


def _ends(due: Due, at: datetime) -> Iterator[date]:
    """Last days of periods, oldest first."""
    today = due.calendar.today(at)
    for back in range(_LOOK_BACK[due.cadence], -1, -1):
        day = today - back * _DAY
        if due.cadence == "daily":
            if due.calendar.is_business_day(day):
                yield day
        elif due.cadence == "weekly":
            if day.isoweekday() == 7:
                yield day
        elif (day + _DAY).day == 1:
            yield day
