"""Fresh processes and what they cost.

Belongs here: CPU (user and system, of the process and all it waited for), wall and peak memory, by ``os.wait4``.
Does not belong here: what the processes do (``worker``).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

#: Wall seconds after which a process hangs: many, for a machine that is busy makes any of them slow.
LONGEST = 3600.0


@dataclass(frozen=True)
class Cost:
    """One process: CPU and wall seconds, peak memory in bytes, and the facts it told."""

    cpu: float
    wall: float
    memory: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Costs:
    """Repetitions of the same."""

    runs: list[Cost] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        """Median CPU seconds."""
        return median(c.cpu for c in self.runs)

    @property
    def wall(self) -> float:
        """Median wall seconds."""
        return median(c.wall for c in self.runs)

    @property
    def memory(self) -> int:
        """Highest peak, in bytes."""
        return max(c.memory for c in self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """Least and most CPU seconds."""
        return min(c.cpu for c in self.runs), max(c.cpu for c in self.runs)

    def fact(self, name: str) -> float:
        """Median of a fact that every repetition told."""
        return median(float(c.facts[name]) for c in self.runs)


def environment(work: Path, home: Path) -> dict[str, str]:
    """What every child sees: its home, a Dagster instance of its own, bytecode as an installed package has it."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "FINPIPE_SOURCES")}
    return kept | {
        "FINPIPE_HOME": str(home),
        "DAGSTER_HOME": str(work / "dagster"),
        "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def added(costs: Iterable[Cost]) -> Cost:
    """Processes one after another as if they were one."""
    one = list(costs)
    return Cost(sum(c.cpu for c in one), sum(c.wall for c in one), max(c.memory for c in one))


def spawn(arguments: list[str], environ: dict[str, str], cwd: Path, log: Path, allowed: tuple[int, ...] = (0,)) -> Cost:
    """Run one python process of this environment to its end; see ``call``."""
    return call([sys.executable, *arguments], environ, cwd, log, allowed)


def call(command: list[str], environ: dict[str, str], cwd: Path, log: Path, allowed: tuple[int, ...] = (0,)) -> Cost:
    """Run a process to its end; raises ``RuntimeError`` with its last lines when it fails or hangs.

    From a process of its own: the kernel counts what a parent held when it forked as its child's peak memory.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as parents:
        return parents.submit(_called, command, environ, cwd, log, allowed).result()


def _called(command: list[str], environ: dict[str, str], cwd: Path, log: Path, allowed: tuple[int, ...]) -> Cost:
    began = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen(  # noqa: S603 - our own commands and arguments
            command, env=environ, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        end = threading.Timer(LONGEST, os.killpg, (child.pid, signal.SIGKILL))
        end.start()
        try:
            _, status, used = os.wait4(child.pid, 0)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)  # an interrupted benchmark leaves nobody at work
            raise
        finally:
            end.cancel()
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if wall >= LONGEST and child.returncode == -signal.SIGKILL:
        raise RuntimeError(f"{' '.join(command[:5])[:200]} had not ended after {LONGEST:.0f} seconds")
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if child.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command[:5])[:200]} ended with {child.returncode}\n" + "\n".join(lines[-20:]))
    last = lines[-1] if lines else ""
    facts = json.loads(last) if last.startswith("{") else {}
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * scale, facts)
