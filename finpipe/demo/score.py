"""The score: companies are generated, the pipeline runs over them as a black box, its output is held to the truth.

Belongs here: which companies are run, and what is said of them. Does not: how exceptions are matched (``findings``),
marts are compared (``compare``), the pipeline is called (``pipeline``).
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from finpipe.demo import generate
from finpipe.demo.compare import Figure, compared
from finpipe.demo.findings import Matched, Tally, codes_covered, matched, raised_in
from finpipe.demo.pipeline import publish
from finpipe.demo.world import Horizon

PROJECT = Path(__file__).resolve().parents[2]
START = date(2023, 1, 1)
Told = Callable[[str], None]


@dataclass
class Score:
    """What became of the companies of all seeds."""

    seeds: tuple[int, ...]
    scale: float
    covered: frozenset[str]
    figures: list[tuple[int, Figure]] = field(default_factory=list)  # of the clean twins
    clean_false: list[tuple[int, str]] = field(default_factory=list)
    clean_timing: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    missed: list[dict[str, Any]] = field(default_factory=list)
    false: list[tuple[int, str]] = field(default_factory=list)
    follow_on: dict[str, int] = field(default_factory=dict)

    @property
    def is_perfect(self) -> bool:
        """All planted faults of covered codes found, nothing false, every figure equal, nothing on the clean twin."""
        tallies = [t for t in self.tallies.values() if t.code in self.covered]
        same = not any(f.different for _, f in self.figures)
        return same and not self.clean_false and not self.false and all(t.found == t.planted for t in tallies)

    def add(self, seed: int, found: Matched) -> None:
        """Add the faulty company of a seed."""
        for code, tally in found.tallies.items():
            self.tallies.setdefault(code, Tally(code)).add(tally)
        self.missed += [{"seed": seed, **fault} for fault in found.missed]
        self.false += [(seed, sentence) for sentence in found.false]
        for pair, count in found.follow_on.items():
            self.follow_on[pair] = self.follow_on.get(pair, 0) + count


def score(
    seeds: tuple[int, ...], scale: float, keep: Path | None = None, told: Told = lambda _: None, *, truth_only: bool
) -> Score:
    """Run clean twins (and, unless ``truth_only``, faulty companies) of the seeds through the pipeline and judge them.

    ``keep`` names a folder in which companies and homes stay; one that is already there is read, not run again.
    Raises DemoError when an argument cannot be honoured or the pipeline does not publish.
    """
    result = Score(seeds, scale, codes_covered(PROJECT))
    with folder_of(keep) as root:
        for seed in seeds:
            told(f"seed {seed}: clean twin")
            run = company_of(root, seed, scale, "none")
            result.figures += [(seed, f) for f in compared(run.company / "truth", run.database, run.cut)]
            clean = matched(run.company, raised_in(run.database))
            result.clean_false += [(seed, sentence) for sentence in clean.false]
            result.clean_timing += sum(t.timing for t in clean.tallies.values())
            if not truth_only:
                told(f"seed {seed}: faults of every kind")
                run = company_of(root, seed, scale, "all")
                result.add(seed, matched(run.company, raised_in(run.database)))
    return result


@contextmanager
def folder_of(keep: Path | None) -> Iterator[Path]:
    """Give the folder in which companies stay, or one that is thrown away."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    root = Path(tempfile.mkdtemp(prefix="finpipe-score-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A generated company, and what the pipeline published of it as of the company's last day."""

    company: Path
    database: Path
    cut: str


def company_of(root: Path, seed: int, scale: float, faults: str) -> Run:
    """Generate a company below ``root`` and run the pipeline over it, unless both are there already.

    One process makes a company at a time; another that wants the same one waits for it.
    """
    name = f"{seed}-{scale:g}-{faults}"
    company, home = root / name, root / f"{name}-home"
    run = Run(company, home / "published" / "current" / "finance.duckdb", Horizon.of(START).cut.isoformat())
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (company.is_dir() and run.database.exists()):
            for folder in (company, home):
                shutil.rmtree(folder, ignore_errors=True)
            generate(seed, scale, faults, company, START)
            publish(company, home, run.cut)
    return run


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """Return a share, cut and not rounded: 100 % is said only of the whole. Nothing of nothing is no share."""
    if not whole:
        return "–"
    tenths = int(Decimal(part) * 1000 / Decimal(whole))
    return f"{tenths // 10}.{tenths % 10} %" if tenths % 10 else f"{tenths // 10} %"


COLUMNS = ("code", "planted", "found", "recall", "recall by money", "to the cent", "exceptions", "secondary", "false",
           "precision", "precision by money")  # fmt: skip


def code_rows(result: Score, *, covered: bool) -> list[tuple[Any, ...]]:
    """Return one row per code, those some part of the pipeline can raise or the others."""
    rows = []
    for code, t in sorted(result.tallies.items()):
        if (code in result.covered or not t.planted) is not covered:
            continue
        rows.append((
            code, t.planted, t.found, percent(t.found, t.planted), percent(t.found_usd, t.planted_usd), t.exact,
            t.raised, t.secondary, t.false, percent(t.raised, t.raised + t.false),
            percent(t.raised_usd, t.raised_usd + t.false_usd),
        ))  # fmt: skip
    return rows


def figure_rows(result: Score) -> list[tuple[Any, ...]]:
    """Return one row per figure over all seeds: grain, keys compared, keys that differ."""
    rows: dict[str, tuple[str, str, int, int]] = {}
    for _, f in result.figures:
        _, _, compared_, different = rows.get(f.name, ("", "", 0, 0))
        rows[f.name] = (f.name, f.grain, compared_ + f.compared, different + f.different)
    return list(rows.values())


def as_data(result: Score) -> dict[str, Any]:
    """Return everything as plain data, for JSON."""
    return {
        "seeds": list(result.seeds),
        "scale": result.scale,
        "is_perfect": result.is_perfect,
        "codes": [{**vars(t), "is_covered": c in result.covered} for c, t in sorted(result.tallies.items())],
        "figures": [
            {"seed": seed, "figure": f.name, "grain": f.grain, "compared": f.compared, "different": f.different,
             "first": [{"key": k, "truth": a, "mart": b} for k, a, b in f.differences]}
            for seed, f in result.figures
        ],
        "clean_twin": {"findings": [{"seed": s, "is": x} for s, x in result.clean_false],
                       "timing": result.clean_timing},
        "missed": result.missed,
        "false": [{"seed": s, "is": x} for s, x in result.false],
        "secondary": result.follow_on,
    }  # fmt: skip


def markdown(result: Score) -> str:
    """Return the score as Markdown, for the README."""
    seeds = ", ".join(map(str, result.seeds))
    lines = [(f"Seeds {seeds} at scale {result.scale:g} (`finpipe demo score --seeds {seeds.replace(' ', '')} "
             f"--scale {result.scale:g} --markdown`)."), ""]  # fmt: skip
    lines += _table(("figure of the clean twin", "per", "compared", "different"), figure_rows(result))
    lines += ["", f"False findings on the clean twin: {len(result.clean_false)}.", ""]
    if result.tallies:
        lines += _table(COLUMNS, code_rows(result, covered=True))
        others = ", ".join(f"{r[0]} ({r[1]})" for r in code_rows(result, covered=False))
        lines += ["", f"Planted, but not covered yet: {others or 'none'}."]
    return "\n".join(lines)


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> list[str]:
    right = [bool(rows) and not isinstance(rows[0][i], str) for i in range(len(columns))]
    marks = "|".join("---:" if is_right else "---" for is_right in right)
    return [f"| {' | '.join(columns)} |", f"|{marks}|", *(f"| {' | '.join(map(str, r))} |" for r in rows)]
