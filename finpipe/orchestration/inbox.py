"""When a micro-batch begins: a sensor that looks into the inboxes and asks for one run when there is something new.

Belongs here: the look of each tick, and why it asks or does not.  Does not belong here: taking files (``ingest``).
A tick lists names and reads two small files; it opens no database and imports nothing that a run needs.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import dagster as dg
from dagster._core.events import RunFailureReason
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG

from finpipe.ingest import inbox
from finpipe.ingest.land import Landed
from finpipe.ingest.landing import landed
from finpipe.ingest.ledger import read_witness
from finpipe.ingest.live import Live, fetch_new, look_live
from finpipe.orchestration.aside import note_aside
from finpipe.orchestration.company import Company
from finpipe.orchestration.jobs import MICRO_BATCH, PRIORITIES, Job
from finpipe.settings import Home
from finpipe.systems import System, broken_systems

#: How often the inboxes are looked into.
SECONDS_BETWEEN_TICKS = 30
#: A file is complete once nothing touched it for so long. Writers that take breaks use ``.part`` or ``.tmp``.
SETTLE_SECONDS = 15
#: A run that works longer than this does not keep deliveries waiting: they are loaded beside it.
PATIENCE_SECONDS = 60
#: The same files again after a run that left them: after so long, then twice as long, up to the last.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 900, 4 * 3600
#: Dagster tries a run that lost its process again within seconds; after so long the sensor asks for one instead.
RETRIED_WITHIN_SECONDS = 60
LOAD = "load_extracts"
#: Jobs that take the inbox and load it: while one waits or works, another would find nothing.
_LOADING = (MICRO_BATCH, LOAD)
_WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
_WORKING = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


@dataclass(frozen=True)
class Asked:
    """What the sensor remembers: how often it asked, for which files, when, and how often for the same ones."""

    count: int = 0
    fingerprint: str = ""
    at: float = 0
    tries: int = 0

    @classmethod
    def read(cls, cursor: str | None) -> "Asked":
        """From a cursor; one that cannot be read is none: asking once too often loads nothing twice."""
        try:
            return cls(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            return cls()

    def write(self) -> str:
        """As a cursor."""
        return json.dumps(asdict(self))

    def is_due(self, now: float) -> bool:
        """Whether the same files may be asked for again. A clock that went back does not make them wait longer."""
        pause = min(FIRST_RETRY_SECONDS * 2 ** (self.tries - 1), LAST_RETRY_SECONDS)
        return now < self.at or now >= self.at + pause

    def again(self, fingerprint: str, now: float) -> "Asked":
        """Having asked once more."""
        tries = self.tries + 1 if fingerprint == self.fingerprint else 1
        return Asked(self.count + 1, fingerprint, now, tries)


@dataclass(frozen=True)
class Busy:
    """Runs that wait or work: their jobs, and for how long the longest has been working.

    ``has_died``: the last micro-batch lost its process, and Dagster's own retry of it did not come, or died as well.
    ``is_ahead``: something was loaded beside the last micro-batch, or after it, that none has begun with.
    """

    waiting: tuple[str, ...] = ()
    working: Mapping[str, float] | None = None
    has_died: bool = False
    is_ahead: bool = False

    @property
    def jobs(self) -> set[str]:
        """Jobs that wait or work."""
        return {*self.waiting, *(self.working or {})}


def take_in(
    home: Home, systems: dict[str, System], settle_seconds: float = 0, now: float | None = None
) -> list[Landed]:
    """Land what is complete in the inboxes and what is new in live systems; who cannot be fetched is set aside."""
    done = inbox.land_inbox(home, systems, settle_seconds, now)
    fetched, broken = fetch_new(home, systems)
    note_aside(home, "live", broken)
    return done + fetched


def inbox_sensor(
    company: Company, batch: Job, load: Job, *, clock: Callable[[], float] = time.time
) -> dg.SensorDefinition:
    """The sensor of a company; ``clock`` gives seconds since 1970."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = clock()
        runs = busy(context.instance, now)
        systems = company.systems
        live = look_live(company.home, systems.values())
        note_aside(company.home, "live", live.broken, unsure=live.new)
        return decide(company.home, systems, Asked.read(context.cursor), runs, now, live)

    return dg.SensorDefinition(
        name="new_extracts",
        evaluation_fn=tick,
        jobs=[batch, load],
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts one micro-batch when complete files lie in an inbox, a live system has something new, or "
        "landed files are not loaded yet; while one works for long, what comes is loaded beside it.",
    )


def decide(
    home: Home, systems: dict[str, System], asked: Asked, runs: Busy, now: float, live: Live | None = None
) -> dg.SensorResult:
    """One tick: at most one run, and the reason where there is none."""
    live = live or Live()
    seen = inbox.look(home, systems, SETTLE_SECONDS, now)
    behind = _behind(home)
    remarks = _remarks(home, seen, live)
    outside = seen.complete + len(live.new)
    if not outside and not behind and not runs.has_died and not runs.is_ahead:
        return _skip("nothing new" + remarks, replace(asked, fingerprint="", tries=0))
    mark = f"{seen.fingerprint}+{behind}{_marks(live)}"
    if runs.has_died or runs.is_ahead:
        mark += "+died" if runs.has_died else "+ahead"
    if (outside or behind) and LOAD not in runs.jobs and _is_long(runs):
        if f"load {mark}" == asked.fingerprint and not asked.is_due(now):
            return _skip("the same files were to be loaded before" + remarks, asked)
        return _ask(LOAD, asked.again(f"load {mark}", now), outside + behind)
    if loading := runs.jobs & set(_LOADING):
        return _skip(f"{min(loading)} waits or works already: it takes what is there" + remarks, asked)
    if mark == asked.fingerprint and not asked.is_due(now):
        return _skip("a run that has ended left the same files: they are tried again later" + remarks, asked)
    return _ask(MICRO_BATCH, asked.again(mark, now), outside + behind)


def _is_long(runs: Busy) -> bool:
    """Whether a run works for so long that deliveries are loaded beside it."""
    return max((runs.working or {}).values(), default=0) >= PATIENCE_SECONDS


def busy(instance: dg.DagsterInstance, now: float) -> Busy:
    """What waits or works on the instance. Runs whose process died are ended by run monitoring (``launcher``)."""
    filters = dg.RunsFilter(statuses=[*_WAITING, *_WORKING])
    records = instance.get_run_records(filters, limit=100)
    working: dict[str, float] = {}
    waiting = []
    for record in records:
        run = record.dagster_run
        if run.status in _WAITING:
            waiting.append(run.job_name)
        else:
            since = record.start_time or record.create_timestamp.timestamp()
            working[run.job_name] = max(working.get(run.job_name, 0.0), now - since)
    return Busy(tuple(waiting), working, _has_died(instance, now), _is_ahead(instance))


def _is_ahead(instance: dg.DagsterInstance) -> bool:
    """Whether a load ended well after the last micro-batch began: that one may have mapped without it."""
    loads = dg.RunsFilter(job_name=LOAD, statuses=[dg.DagsterRunStatus.SUCCESS])
    ended = [r.end_time or 0.0 for r in instance.get_run_records(loads, limit=1)]
    begun = [r.start_time or 0.0 for r in instance.get_run_records(dg.RunsFilter(job_name=MICRO_BATCH), limit=1)]
    return bool(ended) and (not begun or ended[0] > begun[0])


def _has_died(instance: dg.DagsterInstance, now: float) -> bool:
    """Whether the last micro-batch ended without its own doing. What it had loaded would wait for the next delivery:
    Dagster's retry of such runs is lost when it looks between a failure's event and the run's new status."""
    for record in instance.get_run_records(dg.RunsFilter(job_name=MICRO_BATCH), limit=1):
        run, ended = record.dagster_run, record.end_time or record.update_timestamp.timestamp()
        by_itself = run.tags.get(RUN_FAILURE_REASON_TAG) == RunFailureReason.STEP_FAILURE.value
        return run.status == dg.DagsterRunStatus.FAILURE and not by_itself and now - ended >= RETRIED_WITHIN_SECONDS
    return False


def _behind(home: Home) -> int:
    """Landed files that the ledger does not know yet, by its witness."""
    head = read_witness(home.witness) or {}
    return max(0, landed(home) - int(head.get("load_seq", 0)))


def _marks(live: Live) -> str:
    """What is new in live systems, as part of what was asked for; nothing for nothing."""
    return "".join(f"+{name} {mark[:12]}" for name, mark in sorted(live.new.items()))


def _remarks(home: Home, seen: inbox.Waiting, live: Live) -> str:
    said = [f"{seen.growing} still being written"] if seen.growing else []
    broken = broken_systems(home)
    said += [f"no system is called {name}" for name in seen.strangers if name not in broken]
    said += [f"set aside: {why}" for why in seen.broken]
    said += [f"set aside: {name}, {why.error}: {why.got}" for name, why in ({**broken, **live.broken}).items()]
    return f" ({'; '.join(said)})" if said else ""


def _skip(why: str, asked: Asked) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=why, cursor=asked.write())


def _ask(job: str, asked: Asked, files: int) -> dg.SensorResult:
    """One run. Its key never comes twice, unless the tick that asked was lost before its cursor was kept."""
    config: dict[str, Any] = {"ops": {"load": {"config": {"settle_seconds": SETTLE_SECONDS}}}}
    request = dg.RunRequest(
        run_key=f"{job} {asked.count} {asked.fingerprint}",
        job_name=job,
        run_config=config,
        tags={"dagster/priority": PRIORITIES[job], "finpipe/files": str(files)},
    )
    return dg.SensorResult(run_requests=[request], cursor=asked.write())
