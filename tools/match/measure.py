"""Precision, recall and F1 of matching, of exact keys, and of likeness of names alone, over the same two systems.

Belongs here: the measure and the two simpler ways.  Does not belong here: the companies (``tests/conform/lookalikes``).
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from finpipe.conform.matching import Record, match
from tests.conform.lookalikes import two_systems

Two = tuple[str, str]
#: Likeness of whole names, of 100, from which the simpler way takes two for one.
ALIKE_FROM = 92


@dataclass(frozen=True)
class Quality:
    """How a set of pairs compares with the truth."""

    way: str
    joined: int
    right: int
    true: int
    seconds: float

    @property
    def precision(self) -> float:
        """Share of the pairs joined that are true."""
        return self.right / self.joined if self.joined else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that are joined."""
        return self.right / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True)
class Measured:
    """One company: what matching joined, what it left to a person, and what simpler ways would have joined."""

    records: int
    matching: Quality
    exact: Quality
    names: Quality | None
    suggested: int
    suggested_right: int


def measure(count: int, seed: int, *, with_names: bool = True) -> Measured:
    """Match ``count`` records a system. Likeness of names compares all with all, so it can be left out."""
    records, truth = two_systems(count, seed)
    began = time.process_time()
    pairs = match(records)
    spent = time.process_time() - began
    joined = {(p.left_id, p.right_id) for p in pairs if p.verdict == "joined"}
    asked = {(p.left_id, p.right_id) for p in pairs if p.verdict == "suggested"}
    return Measured(
        records=len(records),
        matching=_quality("matching", joined, truth, spent),
        exact=_timed("exact keys", exact_keys, records, truth),
        names=_timed("names alone", names_alone, records, truth) if with_names else None,
        suggested=len(asked),
        suggested_right=len(asked & truth),
    )


def _timed(way: str, pairs_of: object, records: list[Record], truth: set[Two]) -> Quality:
    began = time.process_time()
    found = pairs_of(records)  # type: ignore[operator]
    return _quality(way, found, truth, time.process_time() - began)


def _quality(way: str, found: set[Two], truth: set[Two], seconds: float) -> Quality:
    return Quality(way, len(found), len(found & truth), len(truth), seconds)


def exact_keys(records: Iterable[Record]) -> set[Two]:
    """Pairs of one tax id, or of one domain and one name, each without writing habits; nothing else is looked at."""
    sides: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for r in records:
        if r.tax:
            sides["tax", r.tax][r.system].append(r.customer_id)
        for domain in r.domains:
            sides["domain", domain, r.read.key][r.system].append(r.customer_id)
    found = set()
    for systems in sides.values():
        if len(systems) == 2 and all(len(keys) == 1 for keys in systems.values()):
            left, right = sorted(keys[0] for keys in systems.values())
            found.add((left, right))
    return found


def names_alone(records: Iterable[Record]) -> set[Two]:
    """Each record of the smaller key with the most alike name of the other system, if it is alike enough."""
    by_system: dict[str, dict[str, str]] = defaultdict(dict)
    for r in sorted(records, key=lambda r: r.customer_id):
        by_system[r.system][r.customer_id] = (r.name or "").lower()
    (_, left), (_, right) = sorted(by_system.items())
    found = set()
    for key, name in left.items():
        best = process.extractOne(name, right, scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE_FROM)
        if best:
            found.add((key, best[2]))
    return found
