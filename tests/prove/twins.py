"""A company that nothing happens to, and what its twin must look like at every step.

Belongs here: homes to start trials from, the fingerprints to reach, comparing a home with the oracle.
Does not belong here: what is done to the twin.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.prove import company, oracle
from tests.prove.processes import Ended, outcome, run

#: How many of its last times say how long a stage takes: other work on the machine comes and goes.
_RECENT = 5


@dataclass
class Clock:
    """How long stages take here and now, in seconds."""

    times: dict[str, list[float]] = field(default_factory=dict)

    def note(self, stage: str, seconds: float) -> None:
        """Remember one whole run of a stage."""
        self.times.setdefault(stage, []).append(seconds)

    def usual(self, stage: str) -> float:
        """The mean of the last runs."""
        last = self.times[stage][-_RECENT:]
        return sum(last) / len(last)


@dataclass(frozen=True)
class Untouched:
    """A company taken through all stages, generation by generation, without a fault."""

    root: Path
    deliveries: Sequence[Path]
    #: Files landed up to and with each generation, and what each stage left at its end.
    landed: Sequence[int]
    reached: Sequence[dict[str, str]]
    build: Callable[..., Any]

    def before(self, generation: int) -> Path:
        """The home as it stood before a generation was delivered."""
        return self.root / f"before-{generation}"

    def files_before(self, generation: int) -> int:
        """How many files had landed before a generation."""
        return self.landed[generation - 1] if generation else 0

    def run(self, root: Path, stage: str, generation: int, **how: Any) -> Ended:
        """Run one stage of a generation on a twin, in a process of its own."""
        return run(*self.call(root, stage, generation), **how)

    def call(self, root: Path, stage: str, generation: int) -> tuple[Any, ...]:
        """The function of a stage and what it is called with."""
        if stage == "land":
            return (company.land, root, self.deliveries[generation])
        return (self.build if stage == "build" else getattr(company, stage), root)


def untouched(root: Path, seed: int, generations: int, clock: Clock, build: Callable[..., Any]) -> Untouched:
    """Take a company through all stages and keep its home before each generation."""
    deliveries = company.deliver(root / "deliveries", seed, generations)
    twin = Untouched(root, deliveries, landed := [], reached := [], build)
    company.home_of(home := root / "home")
    for generation in range(generations):
        shutil.copytree(home, twin.before(generation), symlinks=True)
        for stage in company.STAGES:
            ended = twin.run(home, stage, generation)
            if not ended.is_done:
                raise RuntimeError(f"{stage} of the untouched company failed: {ended.answer}")
            clock.note(stage, ended.seconds)
        reached.append(outcome(company.fingerprints, home))
        landed.append(len(oracle.landed(home / "landing")))
    shutil.copytree(home, twin.before(generations), symlinks=True)
    return twin


def differences(root: Path, stage: str, cuts: Sequence[int], *, is_done: bool) -> list[str]:
    """Where a home contradicts the oracle while or after a stage, in words.

    ``cuts`` are the numbers of landed files that canonical and the publication may stand at: before this generation
    and with it.
    """
    before, after = cuts
    try:
        statements = oracle.landed(root / "landing")
    except ValueError as torn:
        return [str(torn)]
    past = company.STAGES.index(stage)
    found = _landed(statements, before, after, is_done=is_done or past > 0)
    if past and (is_done or stage != "publish"):  # publishing writes nothing into the working database
        said = run(company.seen, root)
        if not said.is_done:
            return [*found, f"the database cannot be read: {said.answer}"]
        found += _loaded(statements, said.answer["loads"], before, is_done=is_done or past > 1)
        canonical = _cuts(before, after, past, company.STAGES.index("conform"), is_done=is_done)
        found += _canonical(statements, said.answer, canonical)
    if stage == "publish":
        found += _published(statements, root, _cuts(before, after, past, past, is_done=is_done))
    return found


def _cuts(before: int, after: int, now: int, own: int, *, is_done: bool) -> set[int]:
    """At which numbers of files a later stage's result may stand: until its own stage at the old one, then the new."""
    if now < own:
        return {before}
    return {after} if now > own or is_done else {before, after}


def _landed(statements: list[oracle.Statement], before: int, after: int, *, is_done: bool) -> list[str]:
    orders = [s.order for s in statements]
    if orders != list(range(1, len(orders) + 1)):
        return [f"landing is numbered {orders}"]
    is_right = len(orders) == after if is_done else before <= len(orders) <= after
    return [] if is_right else [f"{len(orders)} files are landed, of {before} to {after}"]


def _loaded(statements: list[oracle.Statement], loads: list[Any], before: int, *, is_done: bool) -> list[str]:
    """Ledger and raw against the files: each file is there whole or not at all."""
    by_order = {s.order: s for s in statements}
    found = []
    for said in loads:
        file = by_order.pop(said[0], None)
        verdict = "refused" if file and file.is_refused else "loaded"
        rows, money = (len(file.rows), file.money) if file else (0, Decimal(0))
        must = (said[0], file.name if file else None, verdict, rows, money, rows, money)
        if tuple(said) != must:
            found.append(f"load {tuple(said)} must be {must}")
    missing = [order for order in by_order if order <= before or is_done]
    return found + ([f"loads {missing} are missing"] if missing else [])


def _canonical(statements: list[oracle.Statement], said: dict[str, Any], cuts: set[int]) -> list[str]:
    rows = _money(said["accepted"]), said["quarantined"]
    allowed = [oracle.figures(s for s in statements if s.order <= cut) for cut in sorted(cuts)]
    if rows in [(f.accepted, f.quarantined) for f in allowed]:
        return []
    return [f"canonical and quarantine hold {rows}, must be one of {allowed}"]


def _published(statements: list[oracle.Statement], root: Path, cuts: set[int]) -> list[str]:
    ended = run(company.seen_published, root)
    if not ended.is_done:
        return [f"the publication cannot be read: {ended.answer}"]
    said = ended.answer
    if said is None:
        return [] if 0 in cuts else ["nothing is published"]
    allowed = [oracle.figures(s for s in statements if s.order <= cut).accepted for cut in sorted(cuts)]
    found = [f"the publication is torn: {said['torn']}"] if said["torn"] else []
    for what in ("accepted", "cash"):
        if (money := _money(said[what])) not in allowed:
            found += [f"published {what} is {money}, must be one of {allowed}"]
    if said["accepted"] != said["cash"]:
        found.append(f"the publication mixes generations: {said}")
    return found


def _money(rows: list[Any]) -> oracle.Money:
    return {currency: (int(count), total) for currency, count, total in rows}
