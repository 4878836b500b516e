"""Figures by measure, period, entity and currency; what two sets of them differ by; which periods are meant.

Belongs here: comparing what ``period_figures`` says here and there.  Does not belong here: computing it (dbt does).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from finpipe.errors import FinpipeError


class Place(NamedTuple):
    """Where a figure stands."""

    measure: str
    period: str
    period_ends_on: date | None
    legal_entity_id: str
    currency: str


class Figure(NamedTuple):
    """An amount in transaction currency, and the quarter its period lies in."""

    amount: Decimal
    quarter: str


Figures = dict[Place, Figure]


@dataclass(frozen=True)
class Difference:
    """A figure before and after one cause; a figure that is on one side only is zero on the other."""

    measure: str
    period: str
    period_ends_on: date | None
    quarter: str
    legal_entity_id: str
    currency: str
    before: Decimal
    after: Decimal
    cause: str

    @property
    def change(self) -> Decimal:
        """What the cause added."""
        return self.after - self.before

    def as_text(self) -> dict[str, Any]:
        """Its fields as JSON can hold them exactly."""
        return {k: str(v) if isinstance(v, date | Decimal) else v for k, v in asdict(self).items()}


def from_text(said: dict[str, Any]) -> Difference:
    """A difference that was kept as text."""
    ends_on = said["period_ends_on"]
    typed = {
        "period_ends_on": date.fromisoformat(ends_on) if ends_on else None,
        "before": Decimal(said["before"]),
        "after": Decimal(said["after"]),
    }
    return Difference(**{**said, **typed})


def figures_of(connection: duckdb.DuckDBPyConnection, relation: str) -> Figures:
    """All figures of a table ``period_figures``."""
    rows = connection.execute(
        "select measure, coalesce(period, ''), period_ends_on, coalesce(legal_entity_id, ''), coalesce(currency, ''), "
        f"amount, coalesce(quarter, '') from {relation}"
    ).fetchall()
    return {Place(*row[:5]): Figure(*row[5:]) for row in rows}


def differences(before: Figures, after: Figures, cause: str) -> list[Difference]:
    """Every figure that is not the same, in the order of time."""
    nothing = Figure(Decimal(0), "")
    found = []
    for place in before.keys() | after.keys():
        old, new = before.get(place, nothing), after.get(place, nothing)
        if old.amount != new.amount:
            place_of = (place.measure, place.period, place.period_ends_on, new.quarter or old.quarter)
            side = (place.legal_entity_id, place.currency)
            found.append(Difference(*place_of, *side, old.amount, new.amount, cause))
    return sorted(found, key=in_order)


def in_order(one: Difference) -> tuple[Any, ...]:
    """By time, then entity, currency and measure."""
    ends_on = one.period_ends_on or date.max
    return (ends_on, one.period, one.legal_entity_id, one.currency, one.measure)


class Period(NamedTuple):
    """A period of some calendar, and the quarter it lies in there."""

    name: str
    ends_on: date
    quarter: str

    @property
    def label(self) -> str:
        """What names it among all calendars and years: ``2025-Q1 Mar 2025``."""
        return f"{self.quarter} {self.name}".strip()


def chosen(asked: Iterable[str], periods: Iterable[Period]) -> Callable[[Difference], bool]:
    """Which differences lie in any of ``QUARTER``, ``PERIOD`` or ``FIRST..LAST``; months may be written 2025-01.

    Entities close by calendars of their own: a quarter or a name means each entity's own, a span all periods that end
    within it. Raises ``FinpipeError`` for what is in no calendar, or a span that ends before it begins.
    """
    known = list(periods)
    meant = {(p.name, p.ends_on) for said in asked for p in _meant(said.strip(), known)}
    return lambda d: (d.period, d.period_ends_on) in meant


def _meant(said: str, known: list[Period]) -> list[Period]:
    first, dots, last = (part.strip() for part in said.partition(".."))
    starts = _named(first, known)
    if not dots:
        return starts
    low, high = min(p.ends_on for p in starts), max(p.ends_on for p in _named(last, known))
    if low > high:
        raise FinpipeError(
            "the span ends before it begins", where="the periods asked for", got=said, fix=f"{last}..{first}"
        )
    return [p for p in known if low <= p.ends_on <= high]


def _named(said: str, known: list[Period]) -> list[Period]:
    name = said.casefold()
    found = [p for p in known if name and name in (p.name.casefold(), p.quarter.casefold(), p.label.casefold())]
    if not found and re.fullmatch(r"\d{4}-\d{2}", said):
        found = [p for p in known if f"{p.ends_on:%Y-%m}" == said]
    if not found:
        quarters = sorted({p.quarter for p in known if p.quarter})
        span = f"{quarters[0]} to {quarters[-1]}" if quarters else "no quarter at all"
        raise FinpipeError(
            "there is no such period",
            where="the fiscal calendars of the figures",
            got=said or "nothing",
            fix=f"a quarter ({span}), a period by its name, a month as 2025-01, or FIRST..LAST of those",
        )
    return found
