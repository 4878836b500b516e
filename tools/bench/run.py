"""One run of the benchmark: make the company, land it, measure every way in turn, compare, report.

Belongs here: the order of events.  Does not belong here: what is measured (``worker``) and how (``measure``).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from finpipe import ingest
from finpipe.build import code_version
from finpipe.demo import generate
from finpipe.settings import Home
from finpipe.systems import find_systems
from tools.bench import by_hand
from tools.bench.compare import DifferentError, same_rows, same_totals
from tools.bench.measure import Cost
from tools.bench.others.run import Others
from tools.bench.processes import AS_OF, fresh, instance, run_finpipe, run_script, run_worker
from tools.bench.profiles import Stage, heard
from tools.bench.reconciliations import Leg, compared
from tools.bench.results import Journal, Results

Tell = Callable[[str], None]
#: The company that warms up and whose compiled models are the script by hand; its SQL is that of a company of any size.
SMALL = 0.01


def bench(
    work: Path, scale: float, repetitions: int, tell: Tell, *, few: bool = False, with_others: bool = False
) -> Results:
    """Run it all below ``work``, or the ``few`` ways that are compared; raises ``DifferentError`` when two ways give
    different results.

    A folder in which the same code was stopped is gone on with: what it measured already stands.
    """
    results = Results(scale)
    landed = prepared(work, scale, tell)
    results.bytes = sum(p.stat().st_size for p in landed.landing.rglob("*") if p.is_file())
    journal = Journal(work, results)
    others = Others(work, landed, results, journal, tell) if with_others else None
    for repetition in range(1, repetitions + 1):
        for name in COMPARED if few else WAYS:
            if not journal.has(repetition, name):
                tell(f"{repetition} of {repetitions}: {name}")
                journal.add(repetition, name, WAYS[name](work, landed, name))
        results.rows = same_rows(_files(work), work / "limit" / "warehouse.duckdb", work / "load" / "raw.duckdb")
        results.totals = same_totals(work / "hand" / "warehouse.duckdb", work / "whole" / "warehouse.duckdb")
        tell(f"totals agree over {results.rows:,} rows in landed files")
        if others:
            others.measure(repetition, repetitions)
    return results


def ask(work: Path, results: Results, questions: int, ticks: int, customers: int, tell: Tell) -> None:
    """Questions and ticks over what ``bench`` left in ``work``, and customers matched."""
    whole = work / "whole"
    tell(f"{questions} questions of each kind")
    results.questions = run_worker(work, whole, ["ask", str(whole), str(questions)]).facts
    tell(f"{ticks} ticks of each sensor")
    results.ticks = run_worker(work, whole, ["tick", str(whole), str(ticks)]).facts
    if customers:
        tell(f"matching {customers:,} records of each of two systems")
        results.matching = run_worker(work, work / "match", ["match", str(customers)]).facts


def profile(work: Path, scale: float, tell: Tell) -> list[Stage]:
    """One profile for each stage over a company of its own, in one process after one that warms up."""
    instance(work)
    for name in ("warm", "home", "company"):
        shutil.rmtree(work / name, ignore_errors=True)
    tell(f"making the demo company at scale {scale:g}")
    generate(1, scale, "none", work / "company")
    for name in ("warm", "home"):
        tell("profiling" if name == "home" else "warming up")
        found = run_worker(work, work / name, ["profile", str(work / name), str(work / "company" / "extracts"), AS_OF])
    return heard(found.facts)


def reconcile(work: Path, scale: float, repetitions: int, tell: Tell) -> list[Leg]:
    """Every reconciliation by the engine and by hand, over what finpipe built of a company; the cheapest of each."""
    landed = prepared(work, scale, tell)
    built = work / "built"
    if not (built / "published" / "current").exists():
        tell("building what is reconciled")
        run_finpipe(work, fresh(landed, built), "built")
    made: dict[str, list[dict[str, list[float]]]] = {"engine": [], "hand": []}
    for repetition in range(1, repetitions + 1):
        for way, found in made.items():
            tell(f"{repetition} of {repetitions}: reconciliations, {way}")
            found.append(run_worker(work, built, ["reconcile", str(built), way, str(work)]).facts)
    cheapest = {way: {name: min(f[name] for f in found) for name in found[0]} for way, found in made.items()}
    return compared(cheapest["engine"], cheapest["hand"])


def prepared(work: Path, scale: float, tell: Tell) -> Home:
    """What is needed before anything is measured: landed files, a first run that warms up, the scripts by hand."""
    facts = {"scale": scale, "code": code_version()}
    mark, landed = work / "prepared.json", Home(work / "landed")
    if mark.exists():
        if json.loads(mark.read_text(encoding="utf-8")) != facts:
            raise DifferentError(f"{work} was measured at another scale or with other code: empty it")
        return landed
    for place in work.iterdir():
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    instance(work)
    model = Home(work / "model")
    _land(work, model, min(SMALL, scale), tell)
    tell("warming up, and compiling the models")
    run_finpipe(work, model.root, "model")
    _land(work, landed, scale, tell)
    _write_scripts(work, landed, model.root)
    mark.write_text(json.dumps(facts), encoding="utf-8")
    return landed


def _land(work: Path, home: Home, scale: float, tell: Tell) -> None:
    """A home that has the demo company's extracts landed and nothing else."""
    tell(f"making the demo company at scale {scale:g}")
    generate(1, scale, "none", work / "company")
    for system in find_systems(home).values():
        folder = work / "company" / "extracts" / system.name
        if folder.is_dir() and any(f.verdict != "landed" for f in ingest.land(home, system, [folder])):
            raise DifferentError(f"an extract of {system.name} did not land")
    shutil.rmtree(work / "company")


def _write_scripts(work: Path, landed: Home, model: Path) -> None:
    read = by_hand.native(landed)
    (work / "limit.json").write_text(json.dumps({"read": [sql for _, sql in read]}), encoding="utf-8")
    (work / "hand.json").write_text(json.dumps(by_hand.script(landed, model)), encoding="utf-8")
    (work / "files.json").write_text(json.dumps([order for order, _ in read]), encoding="utf-8")


def _files(work: Path) -> list[int]:
    found: list[int] = json.loads((work / "files.json").read_text(encoding="utf-8"))
    return found


def _script(work: Path, _: Home, name: str) -> Cost:
    folder = work / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return run_script(work, name, work / f"{name}.json", folder)


def _load(work: Path, landed: Home, name: str) -> Cost:
    return run_worker(work, work / name, ["load", str(fresh(landed, work / name))])


def _stages(work: Path, landed: Home, name: str) -> Cost:
    return run_worker(work, work / name, ["stages", str(fresh(landed, work / name)), AS_OF])


def _cold(work: Path, landed: Home, name: str) -> Cost:
    return run_finpipe(work, fresh(landed, work / name), name)


def _again(work: Path, _: Home, name: str) -> Cost:
    return run_finpipe(work, work / "whole", name)


#: In the order of a repetition: what is compared stands side by side.
WAYS: dict[str, Callable[[Path, Home, str], Cost]] = {
    "limit": _script,
    "load": _load,
    "hand": _script,
    "whole": _cold,
    "again": _again,
    "stages": _stages,
}
#: Those whose results are compared.
COMPARED = ("limit", "load", "hand", "whole")
