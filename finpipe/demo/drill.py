"""Drills, scored: a company delivered drop after drop, with mishaps, held against the same truth.

Belongs here: which deliveries are run, and what they are judged by. Does not: how drops are cut (``drops``).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from finpipe.demo import generate
from finpipe.demo.compare import compared
from finpipe.demo.drops import chosen_mishaps
from finpipe.demo.findings import codes_covered, matched, raised_in
from finpipe.demo.out import DemoError
from finpipe.demo.pipeline import publish_drops
from finpipe.demo.score import PROJECT, START, Score, Told, folder_of
from finpipe.demo.world import Horizon


@dataclass(frozen=True)
class Delivery:
    """How a company is delivered: ``hour``, ``day`` or ``month``, what happens to files, and how often it is run."""

    rhythm: str
    mishaps: str = "all"
    runs: int = 4


def drill(
    seeds: tuple[int, ...], scale: float, delivery: Delivery, keep: Path | None = None, told: Told = lambda _: None
) -> Score:
    """Deliver the clean twins of the seeds in drops and judge what the last run published.

    Marts must equal the truth, and nothing may be found: a file that came torn and then whole is no finding, a record
    that another ERP took over is one record. Raises DemoError as `finpipe.demo.score.score` does.
    """
    if delivery.runs < 1:
        raise DemoError(f"runs must be at least 1, not {delivery.runs}")
    chosen_mishaps(delivery.mishaps)
    result = Score(seeds, scale, codes_covered(PROJECT))
    with folder_of(keep) as root:
        for seed in seeds:
            told(f"seed {seed}: drops by the {delivery.rhythm}, mishaps {delivery.mishaps}")
            _one(result, root, seed, delivery, told)
    return result


def _one(result: Score, root: Path, seed: int, delivery: Delivery, told: Told) -> None:
    """Deliver, run and judge one company; what an earlier drill left in its place is removed."""
    cut = Horizon.of(START).cut.isoformat()
    name = f"{seed}-{result.scale:g}-{delivery.rhythm}-{delivery.mishaps.replace(',', '+')}"
    company, home = root / name, root / f"{name}-home"
    for folder in (company, home):
        shutil.rmtree(folder, ignore_errors=True)
    generate(seed, result.scale, "none", company, START, delivery.rhythm, delivery.mishaps)
    unread = publish_drops(company, home, cut, delivery.runs, told)
    database, erp_ids = home / "published" / "current" / "finance.duckdb", company / "truth" / "erp_ids.csv"
    figures = compared(company / "truth", database, cut, erp_ids if erp_ids.exists() else None)
    result.figures += [(seed, f) for f in figures]
    found = matched(company, raised_in(database))
    result.clean_false += [(seed, sentence) for sentence in [*found.false, *unread]]
    result.clean_timing += sum(t.timing for t in found.tallies.values())
