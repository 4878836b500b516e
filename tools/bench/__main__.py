"""``python -m tools.bench``: measure, print, and with ``--docs`` write docs/performance.md."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench import reconciliations, report
from tools.bench.batches import measure_batches
from tools.bench.compare import DifferentError
from tools.bench.docs import write_plot, write_sections
from tools.bench.profiles import Stage, told
from tools.bench.results import Results
from tools.bench.run import ask, bench, profile, reconcile

#: About 2.6 million raw rows.
SCALE = 1.0
#: Questions of each kind, ticks of each sensor, records of each system to match.
QUESTIONS, TICKS, CUSTOMERS = 300, 20, 20_000


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 1 when two ways gave different results."""
    given = _parser().parse_args(arguments)
    work = Path(given.work or tempfile.mkdtemp(prefix="finpipe-bench-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        sections, facts = _measure(given, work)
    except DifferentError as problem:
        sys.stderr.write(f"error: results differ, so no time counts\ngot:   {problem}\n")
        return 1
    finally:
        if given.work is None:
            shutil.rmtree(work, ignore_errors=True)
    sys.stdout.write(json.dumps(facts, indent=2) + "\n" if given.json else "\n".join(sections.values()))
    if given.docs:
        write_sections(sections)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=SCALE, help="size of the demo company; 0.45 = 1.2 million rows")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--others", action="store_true", help="also what people would use instead, installed for this")
    parser.add_argument("--micro-batches", action="store_true", help="only: a day's batch, a corrected invoice")
    parser.add_argument("--profiles", action="store_true", help="only: one profile for each stage")
    parser.add_argument("--reconciliations", action="store_true", help="only: each reconciliation beside one by hand")
    parser.add_argument("--all", action="store_true", help="all of these")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="questions of each kind to the snapshot")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help="records of each system to match; 0 = none")
    parser.add_argument(
        "--work", type=Path, help="folder to work in, and to go on in after a stop (default: throw-away)"
    )
    parser.add_argument("--few", action="store_true", help="only the ways that are compared: for a huge company")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--docs", action="store_true", help="write sections and plot into docs/performance.md")
    return parser


def _measure(given: argparse.Namespace, work: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """Sections of the page by name, and the facts behind them."""
    sections: dict[str, str] = {}
    facts: dict[str, Any] = {}
    repetitions = max(1, given.repetitions)
    part: Callable[[str], Path] = lambda name: _below(work / name)  # noqa: E731
    if given.all or not (given.micro_batches or given.profiles or given.reconciliations):
        with_others = given.others or given.all
        results = bench(part("ways"), given.scale, repetitions, _tell, few=given.few, with_others=with_others)
        ask(part("ways"), results, given.questions, TICKS, given.customers, _tell)
        sections |= {"ways": report.ways(results), "asked": report.asked(results)}
        if with_others:
            sections["others"] = report.others(results)
            _plot(given, results)
        facts |= report.facts(results)
    if given.all or given.micro_batches:
        batches = measure_batches(part("batches"), given.scale, repetitions, _tell)
        sections["batches"] = report.batches(batches)
        facts["batches"] = report.batch_facts(batches)
    if given.all or given.profiles:
        stages: list[Stage] = profile(part("profiles"), given.scale, _tell)
        sections["profiles"] = report.profiles(given.scale, stages)
        facts["profiles"] = told(stages)
    if given.all or given.reconciliations:
        legs = reconcile(part("reconciliations"), given.scale, repetitions, _tell)
        sections["reconciliations"] = reconciliations.told(legs)
        facts["reconciliations"] = {leg.name: leg._asdict() for leg in legs}
    return sections, facts


def _below(place: Path) -> Path:
    place.mkdir(exist_ok=True)
    return place


def _plot(given: argparse.Namespace, results: Results) -> None:
    if given.docs:
        write_plot(report.plot(results))


def _tell(what: str) -> None:
    sys.stderr.write(what + "\n")


if __name__ == "__main__":
    sys.exit(main())
