"""Measuring what people would use instead, beside finpipe's own ways and in the same run.

Belongs here: the order of events for each tool: install, load, compare, marts, compare.
A tool whose tables or totals differ is told so and measured no more: time for a wrong result says nothing.
"""

import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from finpipe.build.run import variables
from finpipe.settings import PROJECT, Config, Home
from tools.bench import by_hand
from tools.bench.compare import DifferentError, same_totals
from tools.bench.measure import Cost, added, call
from tools.bench.others.environments import Environment, install
from tools.bench.others.tables import differences, write_tables
from tools.bench.others.ways import OTHERS, Other, command
from tools.bench.processes import AS_OF, run_script
from tools.bench.results import Journal, Results

_PROJECT = PROJECT / "dbt_project"
#: What a tool sees of the caller's environment.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")
_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}


class Others:
    """The tools of one run, with their environments and the files that they read."""

    def __init__(
        self, work: Path, landed: Home, results: Results, journal: Journal, tell: Callable[[str], None]
    ) -> None:
        """Install what can be installed here; nothing of that is measured."""
        self.work, self.landed, self.results, self.journal, self.tell = work, landed, results, journal, tell
        self.place, self.files = work / "others", work / "others" / "files"
        self.place.mkdir(exist_ok=True)
        below = Path(os.environ.get("FINPIPE_BENCH_ENVIRONMENTS", self.place / "environments"))
        below.mkdir(parents=True, exist_ok=True)
        self.there: dict[str, Environment] = {}
        for name in dict.fromkeys(other.environment for other in OTHERS):
            tell(f"installing {name}")
            self.there[name] = install(name, below)
        for other in OTHERS:
            if problem := self.there[other.environment].problem:
                results.problems[other.name] = f"does not install on this machine: {problem}"

    def measure(self, repetition: int, repetitions: int) -> None:
        """Every tool once."""
        if not self.files.exists():
            write_tables(self.landed, self.work / "hand" / "warehouse.duckdb", self.files)
        for other in OTHERS:
            which = f"{repetition} of {repetitions}"
            self._measure(repetition, other.name, f"{which}: {other.title}", lambda o=other: self._load(o))  # type: ignore[misc]
            if other.marts and other.name not in self.results.problems:
                marts = f"{other.name} marts"
                self._measure(repetition, marts, f"{which}: marts over {other.name}", lambda o=other: self._build(o))  # type: ignore[misc]

    def _measure(self, repetition: int, name: str, said: str, way: Callable[[], tuple[Cost, str]]) -> None:
        """One way of one tool; where its result differs, the cost is kept and the difference with it."""
        if name in self.results.problems or self.journal.has(repetition, name):
            return
        self.tell(said)
        try:
            cost, problem = way()
        except RuntimeError as failure:
            self.journal.refuse(name, " ".join(str(failure).split())[:600])
            return
        self.journal.add(repetition, name, cost)
        if problem:
            self.journal.refuse(name, f"incorrect: {problem[:600]}")

    def _load(self, other: Other) -> tuple[Cost, str]:
        """Load everything; what a tool loaded otherwise than the files say is its problem."""
        place = self.place / other.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        words, told = command(other, self.there[other.environment], self.files, place)
        cost = call(words, _environment(self.work) | told, place, place / "load.log")
        found = differences(self.files, place / "loaded.duckdb")
        return cost, "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")

    def _build(self, other: Other) -> tuple[Cost, str]:
        """The marts over what was loaded: the mappings' SQL, then dbt's command line or the same models by hand."""
        place = self.place / other.name
        (place / "warehouse.duckdb").unlink(missing_ok=True)
        script = by_hand.script_over(self.landed, self.work / "model", place / "loaded.duckdb")
        if other.marts == "dbt":
            script = {phase: script[phase] for phase in ("read", "map")}
        (place / "script.json").write_text(json.dumps(script), encoding="utf-8")
        costs = [run_script(self.work, "hand", place / "script.json", place)]
        if other.marts == "dbt":
            costs.append(self._dbt(place))
        try:
            same_totals(place / "warehouse.duckdb", self.work / "whole" / "warehouse.duckdb")
        except DifferentError as problem:
            return added(costs), str(problem)
        return added(costs), ""

    def _dbt(self, place: Path) -> Cost:
        """``dbt build`` over the mapped tables, with what an earlier call parsed."""
        words = ["--project-dir", str(_PROJECT), "--profiles-dir", str(_PROJECT)]
        words += ["--target-path", str(self.place / "dbt"), "--log-path", str(self.place / "dbt"), "--vars"]
        words.append(json.dumps(variables(Home(self.work / "whole"), date.fromisoformat(AS_OF))))
        program = self.there["python"].program("dbt")
        environ = _environment(self.work) | {
            "FINPIPE_WAREHOUSE": str(place / "warehouse.duckdb"),
            "FINPIPE_MEMORY_LIMIT": Config().memory_limit,
            "FINPIPE_THREADS": str(Config().threads),
        }
        if not (self.place / "dbt").exists():
            call([program, "parse", *words], environ, place, place / "parse.log")
        return call(
            [program, "build", "--exclude-resource-type", "unit_test", *words], environ, place, place / "dbt.log"
        )


def _environment(work: Path) -> dict[str, str]:
    return (
        {k: os.environ[k] for k in _KEPT if k in os.environ} | _QUIET | {"PYTHONPYCACHEPREFIX": str(work / "bytecode")}
    )
