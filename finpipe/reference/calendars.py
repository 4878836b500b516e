"""Fiscal calendars as a company declares them: by a rule or listed, and every date in just one period.

Belongs here: a declaration's meaning, and refusing one that leaves a gap or overlaps.  Does not belong here: which
calendar an entity keeps where its ERP says so (the models), and what a period's state is (``finpipe.close``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import Any

from finpipe.errors import FinpipeError

#: Weeks of each period of a year of 52 weeks; a 53rd week belongs to the last period.
WEEKS = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13 periods": (4,) * 13,
}
MONTHS = "months"
LISTED = "listed"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october")
_MONTHS = (*_NAMES, "november", "december")
_RULE = re.compile(rf"(last|nearest) ({'|'.join(_WEEKDAYS)}) (?:of|to the end of) ({'|'.join(_MONTHS)})")
#: More years than a company has.
_MOST_YEARS = 100
#: A week short of this a year has 53 of them.
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Span:
    """A period, quarter or year: both days included."""

    kind: str  # period, quarter, year
    name: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Calendar:
    """A calendar by its name; ``group`` is the group's."""

    name: str
    spans: tuple[Span, ...]

    @property
    def periods(self) -> list[Span]:
        """Periods in order."""
        return [span for span in self.spans if span.kind == "period"]


def calendars(declared: Mapping[str, Mapping[str, Any]], where: str) -> list[Calendar]:
    """Calendars that a company declares; raises ``FinpipeError`` for one that cannot be meant."""
    return [_calendar(name, said, f"{where}, [calendars.{name}]") for name, said in sorted(declared.items())]


def _calendar(name: str, said: Any, where: str) -> Calendar:
    if not isinstance(said, Mapping):
        raise FinpipeError(
            "a calendar is a table", where=where, got=str(said), fix=f'write [calendars.{name}] kind = "…"'
        )
    kind = said.get("kind")
    known = {
        LISTED: {"periods"},
        MONTHS: {"years", "first_month"},
        **{weeks: {"years", "year_ends"} for weeks in WEEKS},
    }
    if kind not in known:
        raise FinpipeError("a calendar has no such kind", where=where, got=str(kind), fix=f"one of: {', '.join(known)}")
    if strange := set(said) - known[kind] - {"kind"}:
        fix = f"known keys of {kind}: {', '.join(sorted(known[kind]))}"
        raise FinpipeError("a calendar has an unknown key", where=where, got=", ".join(sorted(strange)), fix=fix)
    if kind == LISTED:
        spans = _listed(said.get("periods"), where)
    else:
        years = _years(said.get("years"), where)
        starts = _months_start(said, where) if kind == MONTHS else _weeks_start(said, where)
        spans = tuple(s for year in years for s in _year(kind, year, starts(year), starts(year + 1)))
    _refuse_gaps((s for s in spans if s.kind == "period"), where)
    return Calendar(name, spans)


def _years(said: Any, where: str) -> range:
    """First and last fiscal year, each named by the calendar year in which it ends."""
    is_pair = isinstance(said, list) and len(said) == 2 and all(isinstance(y, int) for y in said)
    if not is_pair or not 1900 <= said[0] <= said[1] <= min(2200, said[0] + _MOST_YEARS):
        fix = "years = [2023, 2027]: the first and the last, named by the year in which they end"
        raise FinpipeError("a calendar states its years", where=where, got=str(said), fix=fix)
    return range(said[0], said[1] + 1)


def _months_start(said: Mapping[str, Any], where: str) -> Any:
    month = said.get("first_month", 1)
    if not isinstance(month, int) or not 1 <= month <= 12:
        raise FinpipeError("there is no such month", where=where, got=str(month), fix="first_month = 1 to 12")
    return lambda year: date(year if month == 1 else year - 1, month, 1)


def _weeks_start(said: Mapping[str, Any], where: str) -> Any:
    found = _RULE.fullmatch(str(said.get("year_ends", "")).lower().strip())
    if found is None:
        fix = 'year_ends = "last saturday of january", or "nearest saturday to the end of january"'
        raise FinpipeError(
            "a calendar of weeks says how its year ends", where=where, got=str(said.get("year_ends")), fix=fix
        )
    how, weekday, month = found[1], _WEEKDAYS.index(found[2]), _MONTHS.index(found[3]) + 1

    def starts(year: int) -> date:
        """The day after the former year's last one."""
        end = date(year - 1 + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        last = end - timedelta(days=(end.weekday() - weekday) % 7)
        is_later_nearer = how == "nearest" and (end - last).days > 3
        return (last + _WEEK if is_later_nearer else last) + timedelta(days=1)

    return starts


def _year(kind: str, year: int, starts_on: date, next_on: date) -> Iterator[Span]:
    """Periods of a year, its quarters, and itself."""
    if kind == MONTHS:
        firsts = [_month_later(starts_on, n) for n in range(13)]
    else:
        weeks = WEEKS[kind]
        firsts = [starts_on + n * _WEEK for n in accumulate(weeks, initial=0)]
        firsts[-1] = next_on  # the 53rd week, where there is one
    day = timedelta(days=1)
    for number, (first, after) in enumerate(pairwise(firsts), 1):
        yield Span("period", f"FY{year} P{number:02}", first, after - day)
    for quarter in range(4):
        last = len(firsts) - 1 if quarter == 3 else 3 * (quarter + 1)
        yield Span("quarter", f"FY{year} Q{quarter + 1}", firsts[3 * quarter], firsts[last] - day)
    yield Span("year", f"FY{year}", firsts[0], firsts[-1] - day)


def _month_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


def _listed(said: Any, where: str) -> tuple[Span, ...]:
    fix = 'periods = [{ name = "P1", starts = "2025-01-01", ends = "2025-01-31" }, …], in order'
    if not isinstance(said, list) or not said:
        raise FinpipeError("a listed calendar lists its periods", where=where, got=str(said), fix=fix)
    spans = []
    for entry in said:
        try:
            spans.append(Span("period", str(entry["name"]), _date(entry["starts"]), _date(entry["ends"])))
        except (KeyError, TypeError, ValueError):
            raise FinpipeError("a period cannot be read", where=where, got=str(entry), fix=fix) from None
    return tuple(spans)


def _date(said: Any) -> date:
    return said if isinstance(said, date) else date.fromisoformat(said)


def _refuse_gaps(spans: Iterable[Span], where: str) -> None:
    """Each period ends after it starts, has a name of its own, and begins the day after the one before."""
    listed = list(spans)
    for span in listed:
        if span.ends_on < span.starts_on:
            got = f"{span.name}: {span.starts_on} to {span.ends_on}"
            raise FinpipeError("a period ends before it starts", where=where, got=got, fix="exchange the two days")
    for before, after in pairwise(listed):
        if after.starts_on != before.ends_on + timedelta(days=1):
            wrong = "overlap" if after.starts_on <= before.ends_on else "leave a gap"
            got = f"{before.name} ends on {before.ends_on}, {after.name} starts on {after.starts_on}"
            fix = "every date lies in exactly one period: let each start the day after the one before"
            raise FinpipeError(f"periods of a calendar {wrong}", where=where, got=got, fix=fix)
    names = [span.name for span in listed]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise FinpipeError("two periods have one name", where=where, got=", ".join(twice), fix="name each apart")
