"""Dagster's own launcher of runs, which also knows whether a run's process still lives.

Belongs here: that one question.  Does not belong here: how runs are started (Dagster's part).
Dagster's default launcher cannot say it, so a run whose code server was killed with it stays *started* for ever, holds
the pool of the warehouse, and every later run waits behind it. Run monitoring asks every launcher that can answer.
A run's process writes its number into the run's log when it begins, both under the daemon and in ``finpipe run``.
"""

import os
import time
from pathlib import Path

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.dagster_run import RunRecord

#: A run that is started and names no process for so long lost it before it could.
UNNAMED_SECONDS = 180
#: Between a process's start and its first words in the log the clock may be corrected by so much.
_CLOCK_SECONDS = 5


class Launcher(DefaultRunLauncher):
    """Launches as Dagster does; processes of the same machine are looked up, so one machine runs daemon and runs."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether run monitoring may ask: it may."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run lives."""
        found = _process(self._instance, run.run_id)
        if found is None:
            record = self._instance.get_run_record_by_id(run.run_id)
            lost = record is not None and _age(record) > UNNAMED_SECONDS
            return _judged(is_alive=not lost, why="it named no process")
        number, at = found
        return _judged(is_alive=is_alive(number, at), why=f"process {number} is gone")


def is_alive(number: int, at: float) -> bool:
    """Whether the process that had this number at an instant still has it: numbers are given out again."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state, since = _stat(number)
    except (OSError, ValueError, IndexError):
        return True  # no /proc on this machine: the number alone must do
    return state != "Z" and since <= at + _CLOCK_SECONDS


def _stat(number: int) -> tuple[str, float]:
    """State and start of a process, in seconds since 1970; the name in brackets may hold spaces."""
    words = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return words[0], booted + int(words[19]) / os.sysconf("SC_CLK_TCK")


def _process(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The process that a run's log names last, and when it said so."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    for entry in reversed(entries):
        event = entry.dagster_event
        named = event.engine_event_data.metadata.get("pid") if event is not None else None
        if named is not None and str(named.value).isdecimal():
            return int(str(named.value)), entry.timestamp
    return None


def _age(record: RunRecord) -> float:
    return time.time() - (record.start_time or record.create_timestamp.timestamp())


def _judged(*, is_alive: bool, why: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus.RUNNING) if is_alive else CheckRunHealthResult(WorkerStatus.FAILED, why)
