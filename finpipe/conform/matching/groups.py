"""Records that are one customer so far, as groups that only ever grow.

Belongs here: joining, and what is known of a group as a whole.  Does not belong here: why anything is joined.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from finpipe.conform.matching.records import Record

_NOTHING: frozenset[str] = frozenset()


class Joined:
    """Disjoint sets of records; the first key in order stands for its set, whatever the order of joining."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Begin with each record by itself."""
        self.parent = {key: key for key in keys}

    def top(self, key: str) -> str:
        """The record that stands for the set of another."""
        while self.parent[key] != key:
            self.parent[key] = self.parent[self.parent[key]]
            key = self.parent[key]
        return key

    def join(self, one: str, other: str) -> None:
        """Make two sets one."""
        first, second = sorted((self.top(one), self.top(other)))
        self.parent[second] = first

    def sets(self) -> dict[str, list[str]]:
        """Every set by the record that stands for it, keys in order."""
        found: dict[str, list[str]] = {}
        for key in sorted(self.parent):
            found.setdefault(self.top(key), []).append(key)
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """What the records of one customer state together."""

    key: str
    records: tuple[Record, ...]
    systems: frozenset[str]
    taxes: frozenset[str]
    lands: frozenset[str]
    domains: frozenset[str]
    mails: frozenset[str]
    places: frozenset[str]
    towns: frozenset[str]


def group_of(top: str, records: list[Record]) -> Group:
    """What records that are one customer state."""
    return Group(
        key=top,
        records=tuple(records),
        systems=frozenset(r.system for r in records),
        taxes=_stated(r.tax for r in records),
        lands=_stated(r.land for r in records),
        domains=_stated(d for r in records for d in r.domains),
        mails=_stated((r.email or "").strip().lower() for r in records),
        places=_stated(r.place for r in records),
        towns=_stated(r.town for r in records),
    )


def _stated(values: Iterable[str | None]) -> frozenset[str]:
    """What is filled in; most of a million groups state nothing, and share one set that says so."""
    return frozenset(v for v in values if v) or _NOTHING


def contradict(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether both sides state something, and nothing in common."""
    return bool(one and other and not one & other)
