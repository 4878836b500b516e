"""What one ordinary day costs, and one corrected invoice, beside building the same figures from nothing.

Belongs here: cutting the demo company at a day, and the order of events.  Does not belong here: how a run works.
The tools' own start-up is the cost of the same day at a company of a hundred customers; it is told and taken off.
"""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from finpipe import ingest
from finpipe.build import code_version
from finpipe.demo import generate
from finpipe.settings import Home
from finpipe.systems import find_systems
from tools.bench.compare import DifferentError, same_totals
from tools.bench.measure import Cost
from tools.bench.processes import instance, run_finpipe
from tools.bench.results import Journal, Results

#: A Tuesday in mid-month, 22 months into the company's two years.
DAY = date(2024, 11, 12)
NEXT = DAY + timedelta(days=1)
#: So few customers that a run is nearly nothing but start-up.
TINY = 0.005
_INVOICES = ("netsuite", "transaction.csv", "CustInvc")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Company:
    """One company, cut: a home in which finpipe has run up to a day, and what the next day brings."""

    place: Path
    base: Path
    drop: Path
    correction: Path
    configuration: Path

    @classmethod
    def at(cls, place: Path) -> "Company":
        """The places below a folder."""
        return cls(place, place / "base", place / "drop", place / "correction", place / "finpipe.toml")


def measure_batches(work: Path, scale: float, repetitions: int, tell: Tell) -> Results:
    """Full build, day, correction and start-up in turn; raises ``DifferentError`` when the day's totals are others."""
    results, journal = _taken_up(work, scale)
    whole, tiny = Company.at(work / "whole"), Company.at(work / "tiny")
    if not (work / "prepared").exists():
        instance(work)
        _prepare(work, whole, scale, tell)
        _prepare(work, tiny, TINY, tell)
        (work / "prepared").touch()
    ways: dict[str, Callable[[], Cost]] = {
        "full": lambda: _full(work, whole),
        "day": lambda: _next(work, whole, whole.drop, "day"),
        "correction": lambda: _next(work, whole, whole.correction, "correction"),
        "start-up": lambda: _next(work, tiny, tiny.drop, "start-up"),
        "nothing new": lambda: run_finpipe(work, work / "day", "nothing", str(NEXT)),
    }
    for repetition in range(1, repetitions + 1):
        for name, way in ways.items():
            if not journal.has(repetition, name):
                tell(f"{repetition} of {repetitions}: {name}")
                journal.add(repetition, name, way())
        results.totals = same_totals(work / "day" / "warehouse.duckdb", work / "full" / "warehouse.duckdb")
        same_totals(work / "correction" / "warehouse.duckdb", whole.base / "warehouse.duckdb")
        tell("totals of the day's batch and of the full build agree")
    results.rows = sum(_rows(path) for path in whole.drop.rglob("*.*"))
    return results


def _rows(path: Path) -> int:
    """Rows of a file; a header is none."""
    return len(path.read_bytes().splitlines()) - (path.suffix == ".csv")


def _taken_up(work: Path, scale: float) -> tuple[Results, Journal]:
    facts = {"scale": scale, "code": code_version(), "day": str(DAY)}
    mark = work / "batches.json"
    if mark.exists() and json.loads(mark.read_text(encoding="utf-8")) != facts:
        raise DifferentError(f"{work} was measured at another scale or with other code: empty it")
    mark.write_text(json.dumps(facts), encoding="utf-8")
    results = Results(scale)
    return results, Journal(work, results)


# ── the company, cut ─────────────────────────────────────────────────────────────────────────────────────────────


def _prepare(work: Path, company: Company, scale: float, tell: Tell) -> None:
    """Make a company, keep its files up to the day and the next day's, and run finpipe up to the day."""
    tell(f"making the demo company at scale {scale:g}, day by day")
    shutil.rmtree(company.place, ignore_errors=True)
    company.place.mkdir(parents=True)
    made = company.place / "made"
    generate(1, scale, "none", made, batches="day", mishaps="none")
    drops = sorted(p for p in (made / "drops").iterdir() if p.is_dir())
    shutil.copy(drops[0] / "finpipe.toml", company.configuration)
    _join([d for d in drops if d.name <= str(DAY)], company.place / "history")
    shutil.move(made / "drops" / str(NEXT), company.drop)
    shutil.rmtree(made)
    _correct(company.place / "history", company.correction)
    home = _landed(company, company.base, company.place / "history")
    tell(f"running up to {DAY}")
    run_finpipe(work, home, f"{company.place.name}-base", str(DAY))


def _join(drops: list[Path], target: Path) -> None:
    """One file for each table, as a system would send its history: each drop's rows after the former's."""
    for drop in drops:
        for path in sorted(p for p in drop.rglob(f"*_{drop.name}.*") if p.is_file()):
            name = path.name.replace(f"_{drop.name}", "")
            joined = target / path.parent.name / name
            joined.parent.mkdir(parents=True, exist_ok=True)
            with joined.open("ab") as out, path.open("rb") as rows:
                if path.suffix == ".csv" and out.tell():
                    rows.readline()
                shutil.copyfileobj(rows, out)


def _correct(history: Path, target: Path) -> None:
    """A file with one invoice of the ERP whose due date was put off on the next day."""
    system, name, kind = _INVOICES
    with (history / system / name).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        names, last = list(reader.fieldnames or ()), None
        for row in reader:
            if row["type"] == kind and row["voided"] in ("F", "") and row["trandate"] <= str(DAY - timedelta(days=20)):
                last = row
    if last is None:
        raise DifferentError("the company has no invoice to correct")
    stamp = last["lastmodifieddate"].replace(last["lastmodifieddate"][:10], str(NEXT), 1)
    last |= {"duedate": str(NEXT + timedelta(days=30)), "lastmodifieddate": stamp}
    (target / system).mkdir(parents=True)
    with (target / system / name.replace(".", f"_{NEXT}.")).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerow(last)


# ── homes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _landed(company: Company, place: Path, *folders: Path) -> Path:
    """A home in which folders by system have landed."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    shutil.copy(company.configuration, place / "finpipe.toml")
    home = Home(place)
    for system in find_systems(home).values():
        given = [f / system.name for f in folders if (f / system.name).is_dir()]
        if given and any(f.verdict != "landed" for f in ingest.land(home, system, given)):
            raise DifferentError(f"an extract of {system.name} did not land")
    return place


def _full(work: Path, company: Company) -> Cost:
    """Everything from nothing: the history and the next day."""
    place = _landed(company, work / "full", company.place / "history", company.drop)
    return run_finpipe(work, place, "full", str(NEXT))


def _next(work: Path, company: Company, files: Path, name: str) -> Cost:
    """The run that finds new files in the inbox of a home that was built up to the day before."""
    place = work / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(company.base, place, symlinks=True, copy_function=_linked_or_copied)
    for folder in _systems(files):
        shutil.copytree(folder, place / "inbox" / folder.name)
    # What is owed on the next day is known on that day; a correction is told as of the day it corrects.
    return run_finpipe(work, place, name, str(DAY if name == "correction" else NEXT))


def _systems(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.iterdir()) if p.is_dir())


def _linked_or_copied(source: str, target: str) -> None:
    """Landed files and publications never change, so that a link will do; all else is copied."""
    if {"landing", "published"} & set(Path(source).parts):
        os.link(source, target)
    else:
        shutil.copy2(source, target)
