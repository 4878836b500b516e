"""Verdicts: is each system here in time and as usual, is what is published in time and right.

Belongs here: coming to a verdict from facts, at an instant.  Does not belong here: finding the facts, telling anybody.
A deadline counts business days at its own place, so nothing is late on a weekend or a holiday that was in time before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fnmatch import fnmatch
from statistics import median_low
from typing import NamedTuple

from finpipe.errors import FinpipeError
from finpipe.observe.due import Deadline, Due, last_deadline
from finpipe.observe.published import Count, Published
from finpipe.observe.rules import Obligation, Rules
from finpipe.observe.verdicts import Cause, Verdict
from finpipe.systems import System

#: Clocks of two machines may differ by so much before one of them is wrong.
CLOCKS_MAY_DIFFER = timedelta(minutes=5)
#: Files of a table before its next one can be unusual, and rows below which a table is too small to tell.
_FILES_TO_KNOW, _ROWS_TO_TELL = 8, 20
#: Business days in a row that are a gap; more are a pause.
_LONGEST_GAP = 5


class Arrival(NamedTuple):
    """One landed file."""

    system: str
    table: str
    name: str
    received_at: datetime
    is_published: bool


@dataclass(frozen=True)
class Facts:
    """What is known at an instant. ``expected`` names systems that should deliver even if they never did.

    ``unread`` holds folders of the inbox that nobody can take files from, with the reason; ``broken`` the systems that
    are set aside while the others go on.
    """

    arrivals: Sequence[Arrival]
    published: Published | None = None
    aside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, FinpipeError] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """Every verdict of one instant, systems first."""

    at: datetime
    verdicts: tuple[Verdict, ...]

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every cause of every verdict."""
        return tuple(c for v in self.verdicts for c in v.causes)


def judge(rules: Rules, systems: Mapping[str, System], facts: Facts, at: datetime) -> Judged:
    """Judge everything at one instant. A system that another replaced, and one that is not in use, owes nothing."""
    silent = {s.replaces for s in systems.values()}
    used = {a.system for a in facts.arrivals} | facts.expected
    found = [_system(rules, systems[n], facts, at) for n in systems if n in used and n not in silent]
    found += [_broken(n, systems.get(n), facts) for n in sorted(set(facts.broken) - {v.subject for v in found})]
    if facts.published:
        found += [_obligation(o, facts.published, at) for o in rules.obligations]
        found += [_pace(rules, facts, at), _reconciliations(facts.published), _milestones(facts.published)]
    return Judged(at, (*found, _inbox(facts), _clock(facts, at)))


def _system(rules: Rules, system: System, facts: Facts, at: datetime) -> Verdict:
    due = rules.systems[system.name]
    mine = sorted((a for a in facts.arrivals if a.system == system.name), key=lambda a: a.received_at)
    owed = last_deadline(due, at)
    newest = facts.published.newest.get(system.name) if facts.published else None
    causes = [
        *_arrived(system, due, owed, mine),
        *_fresh(system, due, owed, mine, newest),
        *_whole(rules, system, due, facts.published),
        *_usual(rules, system, facts.published),
        *_kept(system, facts),
        *_aside(system.name, system.owner, facts.broken.get(system.name) or rules.unread.get(system.name)),
    ]
    seen = {
        "files": len(mine),
        "last received": mine[-1].received_at if mine else None,
        "newest business event": newest,
        "covers": owed.covers if owed else None,
    }
    return Verdict(system.name, "system", system.owner, tuple(causes), owed.at if owed else None, seen)


def _arrived(system: System, due: Due, owed: Deadline | None, mine: Sequence[Arrival]) -> Iterable[Cause]:
    """Nothing since business ended on the day that is due; or one that is expected each time did not come."""
    if owed is None:
        return
    if not mine:
        said = f"nothing of {system.name} ever came; it was due {_when(owed.at, due)}"
        yield Cause(system.name, "never arrived", said, system.owner, seen={"due at": owed.at})
        return
    since = [a for a in mine if a.received_at > owed.since]
    last = mine[-1]
    seen = {"due at": owed.at, "covers": owed.covers, "last received": last.received_at, "last file": last.name}
    if not since:
        said = f"nothing landed for {owed.covers} by {_when(owed.at, due)}; the last file came {_utc(last.received_at)}"
        yield Cause(system.name, "not arrived", said, system.owner, seen=seen)
        return
    for pattern in due.expects:
        if not any(a.table == pattern or fnmatch(a.name, pattern) for a in since):
            said = f"{pattern} did not come for {owed.covers} by {_when(owed.at, due)}, though other files did"
            yield Cause(system.name, "expected file missing", said, system.owner, pattern, seen)


def _fresh(
    system: System, due: Due, owed: Deadline | None, mine: Sequence[Arrival], newest: date | None
) -> Iterable[Cause]:
    """Files arrive, but the newest business event in them is old. Files not yet published may hold newer ones."""
    if owed is None or newest is None or not all(a.is_published for a in mine):
        return
    if not any(a.received_at > owed.since for a in mine):
        return
    oldest = due.calendar.before(owed.covers, due.quiet_days)
    if newest < oldest:
        said = f"files arrive, but the newest business event is of {newest}; it should be of {oldest} or later"
        seen = {"newest business event": newest, "expected from": oldest, "last file": mine[-1].name}
        yield Cause(system.name, "nothing newer", said, system.owner, seen=seen)


def _whole(rules: Rules, system: System, due: Due, published: Published | None) -> Iterable[Cause]:
    """One gap among business days that all have events. Where there are more, business is not seen every day."""
    for entity, days in (published.days.get(system.name, {}) if published else {}).items():
        worked = due.calendar.between(due.calendar.before(days[-1], rules.numbers["dense_days"]), days[-1])
        gap = [day for day in worked if day not in set(days)]
        if not gap or days[0] > worked[0] or len(gap) > _LONGEST_GAP or gap != due.calendar.between(gap[0], gap[-1]):
            continue
        listed = ", ".join(map(str, gap))
        said = f"no {entity.replace('_', ' ')} on {listed}, though there are some on every business day around"
        seen = {"missing": listed, "from": worked[0], "to": worked[-1]}
        yield Cause(system.name, "day missing", said, system.owner, entity, seen)


def _usual(rules: Rules, system: System, published: Published | None) -> Iterable[Cause]:
    """A file with far more or fewer rows than its kind has."""
    times = rules.numbers["unusual_times"]
    for count in (c for c in (published.counts if published else ()) if c.system == system.name):
        usual = _usually(count)
        if usual is not None and (usual * times < count.rows or count.rows * times < usual):
            said = f"{count.name} has {count.rows:,} rows; files of {count.table} usually have about {usual:,}"
            seen = {"file": count.name, "rows": count.rows, "usual rows": usual, "files compared": len(count.before)}
            yield Cause(system.name, "unusual count", said, system.owner, count.table, seen)


def _usually(count: Count) -> int | None:
    """The middle of what came before, where that says anything."""
    if len(count.before) < _FILES_TO_KNOW or (usual := median_low(count.before)) < _ROWS_TO_TELL:
        return None
    return usual


def _kept(system: System, facts: Facts) -> Iterable[Cause]:
    """Files that could not be read, and those that were set aside at the door: the others went on."""
    for name, file, reason in facts.published.refused if facts.published else ():
        if name == system.name:
            yield Cause(name, "refused", f"{file} was refused: {reason}", system.owner, file, {"file": file})
    for file in facts.aside.get(system.name, ()):
        said = f"{file} was set aside in the inbox; the reason stands beside it"
        yield Cause(system.name, "set aside", said, system.owner, file, {"file": file})


def _aside(name: str, owner: str, problem: FinpipeError | None) -> Iterable[Cause]:
    """A system that cannot be read, fetched or mapped: what it gave stands, and nothing new of it counts."""
    if problem:
        said = f"{name} is set aside, the others go on: {problem.error} ({problem.where}): {problem.got}"
        seen = {"where": problem.where, "got": problem.got, "fix": problem.fix}
        yield Cause(name, "system set aside", said, owner, seen=seen)


def _broken(name: str, system: System | None, facts: Facts) -> Verdict:
    """A system that is set aside and owes nothing else: nobody can read what it owes, or it is not in use."""
    owner = system.owner if system else "data platform"
    return Verdict(name, "system", owner, tuple(_aside(name, owner, facts.broken[name])))


def _obligation(obligation: Obligation, published: Published, at: datetime) -> Verdict:
    """Whether what is published covers the period that is due."""
    owed = last_deadline(obligation.due, at)
    what = "the publication" if obligation.mart == "*" else obligation.mart
    seen = {"publication": published.number, "as of": published.as_of, "published at": published.published_at}
    causes = []
    if obligation.mart != "*" and obligation.mart not in published.tables:
        said = f"{what} is due by the policy's [due.{obligation.name}], but no such table is published"
        causes = [Cause(obligation.name, "not published", said, obligation.owner, seen=seen)]
    elif owed and published.as_of < owed.covers:
        said = f"{what} shows {published.as_of}; {owed.covers} was due {_when(owed.at, obligation.due)}"
        seen = {**seen, "due at": owed.at, "covers": owed.covers}
        causes = [Cause(obligation.name, "not published", said, obligation.owner, seen=seen)]
    return Verdict(obligation.name, "mart", obligation.owner, tuple(causes), owed.at if owed else None, seen)


def _pace(rules: Rules, facts: Facts, at: datetime) -> Verdict:
    """Whether landed files are published within the hours that are allowed."""
    waiting = sorted((a for a in facts.arrivals if not a.is_published), key=lambda a: a.received_at)
    limit = timedelta(hours=rules.numbers["publish_hours"])
    causes = []
    if waiting and at - waiting[0].received_at > limit:
        first = waiting[0]
        oldest = f"{first.name} of {first.system} since {_utc(first.received_at)}"
        said = f"{len(waiting)} landed files wait to be published, {oldest}"
        causes = [Cause("publication", "waiting to be published", said, "data platform", seen={"files": len(waiting)})]
    return Verdict("publication", "publication", "data platform", tuple(causes), seen={"files waiting": len(waiting)})


def _reconciliations(published: Published) -> Verdict:
    """Reconciliations out of tolerance; R16 holds what the sources state of themselves: control totals."""
    causes = []
    for red in published.red:
        kind = "control total" if red.reconciliation == "R16" else "out of tolerance"
        said = f"{red.reconciliation} {red.sides} is out of tolerance: {red.findings} findings, {red.blocking} blocking"
        seen = {"findings": red.findings, "blocking": red.blocking, "differences": red.amounts[:200]}
        causes.append(Cause("reconciliations", kind, said, red.owner, f"{red.reconciliation} {red.leg}", seen))
    return Verdict("reconciliations", "reconciliations", "controller", tuple(causes), seen={"red": len(causes)})


def _milestones(published: Published) -> Verdict:
    """Milestones from quote to cash that are overdue now: the data are in time, the business is not."""
    causes = []
    for name in dict.fromkeys(late.milestone for late in published.late):
        mine = [late for late in published.late if late.milestone == name]
        bookings, days = sum(late.bookings for late in mine), max(late.days for late in mine)
        said = f"{bookings} bookings miss their milestone {name}, by {days} weekdays at most"
        seen = {"bookings": bookings, "most weekdays": days, **{late.currency: str(late.amount) for late in mine}}
        causes.append(Cause("quote_to_cash", "milestone late", said, "controller", name, seen))
    return Verdict("quote_to_cash", "milestones", "controller", tuple(causes))


def _inbox(facts: Facts) -> Verdict:
    """Whether every folder of the inbox is one that a system answers to and can be read."""
    causes = tuple(
        Cause("inbox", "set aside", f"inbox/{name} is left alone: {why}", "data platform", name)
        for name, why in sorted(facts.unread.items())
    )
    return Verdict("inbox", "inbox", "data platform", causes)


def _clock(facts: Facts, at: datetime) -> Verdict:
    """Whether this machine's clock is behind what it wrote itself: then it jumped, and no deadline can be trusted."""
    stamps = [a.received_at for a in facts.arrivals] + ([facts.published.published_at] if facts.published else [])
    newest = max(stamps, default=at)
    causes = []
    if newest > at + CLOCKS_MAY_DIFFER:
        said = (
            f"the clock says {at:%Y-%m-%d %H:%M} UTC, but files were landed or published at {newest:%Y-%m-%d %H:%M} UTC"
        )
        causes = [Cause("clock", "clock", said, "data platform", seen={"clock": at, "newest stamp": newest})]
    return Verdict("clock", "clock", "data platform", tuple(causes), seen={"clock": at})


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _when(instant: datetime, due: Due) -> str:
    local = instant.astimezone(due.calendar.timezone)
    return f"{local:%Y-%m-%d %H:%M} {due.calendar.timezone.key}"
