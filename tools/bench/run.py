"""One run of the benchmark: make the company, land it, measure every way in turn, compare, report.

Belongs here: the order of events.  Does not belong here: what is measured (``worker``) and how (``measure``).
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from finpipe import ingest
from finpipe.demo import generate
from finpipe.settings import PROJECT, Config, Home
from finpipe.systems import find_systems
from tools.bench import by_hand
from tools.bench.compare import DifferentError, same_rows, same_totals
from tools.bench.measure import Costs, environment, spawn

#: The demo company ends on this day.
AS_OF = "2024-12-31"
_FINPIPE = ["-c", "from finpipe.cli import main; main()"]
#: ``finpipe run`` ends with 3 where there are findings.
_DONE = (0, 3)
Tell = Callable[[str], None]


@dataclass
class Results:
    """What a run of the benchmark found."""

    scale: float
    rows: int = 0
    bytes: int = 0
    totals: dict[str, dict[str, str]] = field(default_factory=dict)
    costs: dict[str, Costs] = field(default_factory=dict)


def bench(work: Path, scale: float, repetitions: int, tell: Tell) -> Results:
    """Run it all below ``work``; raises ``DifferentError`` when two ways give different results."""
    results = Results(scale)
    landed = _landed(work, scale, tell)
    results.bytes = sum(p.stat().st_size for p in landed.landing.rglob("*") if p.is_file())
    _instance(work)
    model = _fresh(landed, work / "model")
    tell("warming up, and compiling the models")
    _whole(work, model)
    _write_scripts(work, landed, model)
    for repetition in range(1, repetitions + 1):
        for name, measured in _WAYS.items():
            tell(f"{repetition} of {repetitions}: {name}")
            measured(work, landed, results, name)
        results.rows = same_rows(_files(work), work / "limit" / "warehouse.duckdb", work / "load" / "warehouse.duckdb")
        results.totals = same_totals(work / "hand" / "warehouse.duckdb", work / "whole" / "warehouse.duckdb")
        tell(f"totals agree over {results.rows:,} rows in landed files")
    return results


def _landed(work: Path, scale: float, tell: Tell) -> Home:
    """A home that has the demo company's extracts landed and nothing else."""
    tell(f"making the demo company at scale {scale:g}")
    home = Home(work / "landed")
    generate(1, scale, "none", work / "company")
    for system in find_systems(home).values():
        folder = work / "company" / "extracts" / system.name
        if folder.is_dir() and any(f.verdict != "landed" for f in ingest.land(home, system, [folder])):
            raise DifferentError(f"an extract of {system.name} did not land")
    shutil.rmtree(work / "company")
    return home


def _instance(work: Path) -> None:
    """A Dagster instance of its own, configured as the project's."""
    place = work / "dagster"
    place.mkdir()
    said = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    (place / "dagster.yaml").write_text(said.replace(".finpipe/dagster", str(place)), encoding="utf-8")


def _fresh(landed: Home, place: Path) -> Path:
    """A home with the same landed files, as links, and an empty warehouse."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(landed.landing, place / "landing", copy_function=os.link)
    return place


def _write_scripts(work: Path, landed: Home, model: Path) -> None:
    read = by_hand.native(landed)
    (work / "limit.json").write_text(json.dumps({"read": [sql for _, sql in read]}), encoding="utf-8")
    (work / "hand.json").write_text(json.dumps(by_hand.script(landed, model)), encoding="utf-8")
    (work / "files.json").write_text(json.dumps([order for order, _ in read]), encoding="utf-8")


def _files(work: Path) -> list[int]:
    found: list[int] = json.loads((work / "files.json").read_text(encoding="utf-8"))
    return found


def _script(work: Path, _: Home, results: Results, name: str) -> None:
    """A script of SQL in a process that imports DuckDB alone, under finpipe's own limits."""
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = {
        "memory_limit": Config().memory_limit,
        "threads": Config().threads,
        "preserve_insertion_order": False,
        "temp_directory": str(folder / "spill"),
    }
    arguments = [str(work / f"{name}.json"), str(folder / "warehouse.duckdb"), json.dumps(config)]
    _worker(work, results, name, [name, *arguments])


def _load(work: Path, landed: Home, results: Results, name: str) -> None:
    _worker(work, results, name, ["load", str(_fresh(landed, work / name))])


def _stages(work: Path, landed: Home, results: Results, name: str) -> None:
    _worker(work, results, name, ["stages", str(_fresh(landed, work / name)), AS_OF])


def _worker(work: Path, results: Results, name: str, arguments: list[str]) -> None:
    # The file and not the module: naming the module would import the package, and the package finpipe.
    script = str(Path(__file__).with_name("worker.py"))
    cost = spawn([script, *arguments], environment(work, work / name) | _PATH, PROJECT, work / f"{name}.log")
    results.costs.setdefault(name, Costs()).runs.append(cost)


_PATH = {"PYTHONPATH": str(PROJECT)}


def _whole(work: Path, home: Path, results: Results | None = None, name: str = "model") -> None:
    arguments = [*_FINPIPE, "run", "--as-of", AS_OF]
    cost = spawn(arguments, environment(work, home), PROJECT, work / f"{name}.log", _DONE)
    if results is not None:
        results.costs.setdefault(name, Costs()).runs.append(cost)


def _cold(work: Path, landed: Home, results: Results, name: str) -> None:
    _whole(work, _fresh(landed, work / name), results, name)


def _again(work: Path, _: Home, results: Results, name: str) -> None:
    _whole(work, work / "whole", results, name)


#: In the order of a repetition: what is compared stands side by side.
_WAYS: dict[str, Callable[[Path, Home, Results, str], None]] = {
    "limit": _script,
    "load": _load,
    "hand": _script,
    "whole": _cold,
    "again": _again,
    "stages": _stages,
}
