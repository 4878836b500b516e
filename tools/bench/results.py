"""What has been measured so far, on disk after every process: a run that was stopped goes on where it was.

Belongs here: costs by name and repetition.  Does not belong here: measuring, and what is made of the figures.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.bench.measure import Cost, Costs

Totals = dict[str, dict[str, str]]


@dataclass
class Results:
    """A run of the benchmark: costs by way, totals that all ways share, and why a tool of others does not count."""

    scale: float
    rows: int = 0
    bytes: int = 0
    totals: Totals = field(default_factory=dict)
    costs: dict[str, Costs] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    #: Wall and CPU seconds of each question, by kind, and of each tick, by sensor.
    questions: dict[str, list[list[float]]] = field(default_factory=dict)
    ticks: dict[str, list[list[float]]] = field(default_factory=dict)
    matching: dict[str, dict[str, Any]] = field(default_factory=dict)


class Journal:
    """The costs of a run, one line for each process; ``work`` keeps it when it is a folder of the caller's."""

    def __init__(self, work: Path, results: Results) -> None:
        """Take up what an earlier run of the same folder measured."""
        self.path, self.results = work / "measured.jsonl", results
        self.done: set[tuple[int, str]] = set()
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            said = json.loads(line)
            if "problem" in said:
                results.problems[said["name"]] = said["problem"]
            else:
                self._take(said["repetition"], said["name"], Cost(**said["cost"]))

    def has(self, repetition: int, name: str) -> bool:
        """Whether that was measured already."""
        return (repetition, name) in self.done

    def add(self, repetition: int, name: str, cost: Cost) -> None:
        """Keep one measurement."""
        self._write({"repetition": repetition, "name": name, "cost": asdict(cost)})
        self._take(repetition, name, cost)

    def refuse(self, name: str, problem: str) -> None:
        """Keep why a way does not count."""
        self._write({"name": name, "problem": problem})
        self.results.problems[name] = problem

    def _write(self, said: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")

    def _take(self, repetition: int, name: str, cost: Cost) -> None:
        self.done.add((repetition, name))
        self.results.costs.setdefault(name, Costs()).runs.append(cost)
