"""The company a run works for, and the right to write its databases.

Belongs here: what every step needs before it does anything.  Does not belong here: what steps do.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb

from finpipe.errors import BusyError, FinpipeError
from finpipe.ingest.landing import Manifest
from finpipe.log import of_run
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from finpipe.warehouse import is_of_the_disk, raw_lock, write_lock

#: A run that was started while another process writes waits so long for each step before it gives up.
PATIENCE_SECONDS = 600.0
#: A full disk or a lost file system may come back; what an earlier try committed is found and not done again.
RETRIES, RETRY_SECONDS = 2, 5
_held: set[Path] = set()
#: Opens a lock, or raises ``BusyError`` at once.
_Lock = Callable[[Home], AbstractContextManager[None]]


class Cut(dg.Config):
    """At which business date the figures are asked for: ISO date; nothing = today, in UTC.

    ``up_to`` is the last load that counts, and then the inbox waits; nothing = everything there is.
    """

    as_of: str | None = None
    up_to: int | None = None

    @property
    def date(self) -> date:
        """The date meant."""
        return date.fromisoformat(self.as_of) if self.as_of else datetime.now(UTC).date()

    def admits(self, manifest: Manifest) -> bool:
        """Whether a landed file counts."""
        return self.up_to is None or manifest.order <= self.up_to


class Intake(Cut):
    """What a load takes from the inboxes: files that nothing touched for so many seconds."""

    settle_seconds: int = 0


@dataclass(frozen=True)
class Company:
    """A home, and whom to tell what is being done."""

    home: Home
    tell: Callable[[str, str], None] = field(default=lambda _stage, _what: None)

    @property
    def systems(self) -> dict[str, System]:
        """The systems as described now."""
        return find_systems(self.home)

    def teller(self, stage: str) -> Callable[[str], None]:
        """Progress of one stage."""
        return lambda what: self.tell(stage, what)


@contextmanager
def writing(home: Home, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the write lock; again within the same process is fine, so that a whole run can hold it.

    Raises ``BusyError`` when another process still holds it after ``patience`` seconds.
    """
    with _holding(home, home.lock, write_lock, patience):
        yield


@contextmanager
def loading(home: Home, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the lock of raw in the same way: for as long as rows are loaded or mapped, never while marts are built."""
    with _holding(home, home.raw_lock, raw_lock, patience):
        yield


@contextmanager
def _holding(home: Home, lock: Path, take: _Lock, patience: float) -> Iterator[None]:
    if lock in _held:
        yield
        return
    deadline = time.monotonic() + patience
    while True:  # ends by the lock or the deadline
        try:
            with take(home):
                _held.add(lock)
                try:
                    yield
                finally:
                    _held.remove(lock)
                return
        except BusyError:
            if time.monotonic() >= deadline or lock in _held:
                raise
            time.sleep(0.5)


@contextmanager
def working(company: Company) -> Iterator[Home]:
    """Hold the write lock for a step that writes the warehouse, and end it as Dagster understands it."""
    with step(), writing(company.home):
        yield company.home


@contextmanager
def step() -> Iterator[None]:
    """A step of a run, whose id its lines in the log carry.

    A fault of the disk is tried again; a user's mistake, or too little memory, is told in its four parts and not tried
    again; a defect keeps its stack trace.
    """
    with failing(), of_run(dg.OpExecutionContext.get().run_id):
        yield


@contextmanager
def failing() -> Iterator[None]:
    """End a step as Dagster understands it."""
    try:
        yield
    except duckdb.OutOfMemoryException as problem:
        raise _told(
            FinpipeError(
                "the step does not fit into the memory that it may take",
                where="memory_limit of finpipe.toml",
                got=" ".join([str(problem).split("\n", 1)[0], *getattr(problem, "__notes__", [])]),
                fix='say twice as much there (memory_limit = "1400MB" where nothing is said); what stood before stands',
            )
        ) from problem
    except (OSError, duckdb.Error) as problem:
        if isinstance(problem, duckdb.Error) and not is_of_the_disk(str(problem)):
            raise  # damage, which the next run heals, or a defect
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=RETRY_SECONDS) from problem
    except FinpipeError as problem:
        raise _told(problem) from problem


def _told(problem: FinpipeError) -> dg.Failure:
    parts = {"where": problem.where, "got": problem.got, "fix": problem.fix}
    return dg.Failure(problem.error, {k: dg.MetadataValue.text(v) for k, v in parts.items() if v}, allow_retries=False)
