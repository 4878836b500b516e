"""Watching live systems: is there anything new in a source that is fetched by SQL or REST.

Belongs here: asking a source for its newest mark, cheaply and within a time limit, and fetching where it moved.
Does not belong here: how to reach a system (its ``extract.py``) and how what is fetched lands (``fetch``).
The contract with ``extract.py``: ``newest(settings: dict)`` returns something small that changes whenever a fetch would
bring anything else, such as the greatest modification time and the number of rows. A system without it is fetched by
``finpipe fetch`` alone. The mark of what was landed is kept below ``cursors/``; without one everything is fetched, and
the same rows land once.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.ingest.fetch import extract_of, fetch, in_one_line, module_of
from finpipe.ingest.land import Landed
from finpipe.ingest.landing import make_folder, write_synced
from finpipe.settings import Home
from finpipe.systems import System

#: All sources together answer within so long, or are set aside until the next look.
SECONDS_TO_ANSWER = 10.0
#: Questions that nobody has answered yet, by source: a source that hangs is asked once.
_asking: dict[tuple[Path, str], "_Question"] = {}


@dataclass(frozen=True)
class Live:
    """What a look at the live systems found: marks of those with something new, and those that did not answer."""

    new: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, FinpipeError] = field(default_factory=dict)


def look_live(home: Home, systems: Iterable[System], seconds: float = SECONDS_TO_ANSWER) -> Live:
    """Ask every live system that can be watched, all at once; fetches nothing and opens no file of landing."""
    asked = {s.name: (s, _ask(s)) for s in systems if _is_watched(s)}
    deadline = time.monotonic() + seconds
    new: dict[str, str] = {}
    broken: dict[str, FinpipeError] = {}
    for name, (system, question) in asked.items():
        question.join(max(0.0, deadline - time.monotonic()))
        if question.is_alive():
            broken[name] = _silent(system, f"no answer within {seconds:g} seconds")
            continue
        _asking.pop((extract_of(system), name), None)
        if question.problem is not None:
            broken[name] = question.problem
        elif (mark := _mark(system, question.answer)) != _kept(home, name):
            new[name] = mark
    return Live(new, broken)


def fetch_new(home: Home, systems: Mapping[str, System]) -> tuple[list[Landed], dict[str, FinpipeError]]:
    """Fetch every live system that has something new; returns what landed, and the systems that could not be fetched.

    The mark was read before the fetch, so what comes in between is fetched once more, never forgotten.
    """
    seen = look_live(home, systems.values())
    landed: list[Landed] = []
    broken = dict(seen.broken)
    for name, mark in seen.new.items():
        try:
            landed += fetch(home, systems[name])
        except FinpipeError as problem:
            broken[name] = problem
            continue
        make_folder(home.cursors)
        write_synced(home.cursors / name, mark, home.cursors)
    return landed, broken


class _Question(threading.Thread):
    """One source being asked; a thread, because a source that hangs must not hold up the look at the others."""

    def __init__(self, system: System) -> None:
        super().__init__(name=f"newest of {system.name}", daemon=True)
        self.system = system
        self.answer: Any = None
        self.problem: FinpipeError | None = None

    def run(self) -> None:
        """Ask; whatever a company's own code raises is told as the source's silence."""
        try:
            self.answer = module_of(self.system).newest(dict(self.system.settings))
        except FinpipeError as problem:
            self.problem = problem
        except Exception as problem:  # noqa: BLE001 - code of a company, which may raise anything
            self.problem = _silent(self.system, in_one_line(problem))


def _ask(system: System) -> _Question:
    key = extract_of(system), system.name
    if key not in _asking:
        _asking[key] = _Question(system)
        _asking[key].start()
    return _asking[key]


def _is_watched(system: System) -> bool:
    path = extract_of(system)
    return path.is_file() and "def newest(" in path.read_text(encoding="utf-8", errors="replace")


def _mark(system: System, answer: Any) -> str:
    """Changes with the answer, and with how the system is described and fetched."""
    told = json.dumps(answer, sort_keys=True, default=str)
    return hashlib.sha256(f"{system.fingerprint}\n{extract_of(system).read_bytes()!r}\n{told}".encode()).hexdigest()


def _kept(home: Home, name: str) -> str:
    try:
        return (home.cursors / name).read_text(encoding="utf-8")
    except OSError:
        return ""


def _silent(system: System, got: str) -> FinpipeError:
    return FinpipeError(
        f"{system.name} does not answer",
        where=str(extract_of(system)),
        got=got,
        fix="check that the system answers and that its credentials are set; the other systems go on",
    )
