"""A second warehouse made from landing, beside the real one: what proofs, snapshots and previews build in.

Belongs here: the throw-away home, who holds it, and making figures in it.  Does not belong here: what they are for.
Nothing real is touched and no write lock is held: landing is only read, and micro-batches go on meanwhile.
A folder is held by a file lock for as long as its process lives, so whoever comes next can sweep what a kill left.
"""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from finpipe import ingest
from finpipe.build import BuildReport, build
from finpipe.conform import conform
from finpipe.errors import BusyError, FinpipeError
from finpipe.ingest.landing import Manifest
from finpipe.settings import Home
from finpipe.systems import broken_systems, find_systems

Tell = Callable[[str, str], None]
_LOCK = ".held"
#: How many failed tests a refusal names.
_MOST_NAMED = 5


@contextmanager
def throwaway(home: Home) -> Iterator[Path]:
    """A folder of its own below the home's scratch folder, gone at the end; what dead processes left is swept."""
    sweep(home)
    folder = home.scratch / f"beside-{uuid.uuid4().hex[:12]}"
    folder.mkdir(parents=True)
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(home: Home) -> None:
    """Remove the folders of processes that no longer live."""
    for folder in home.scratch.glob("beside-*"):
        if is_free(folder):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder; raises ``BusyError`` when another process does."""
    with (folder / _LOCK).open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                "another process is at this",
                where=str(folder),
                got="the folder is held",
                fix="wait until it ends and try again",
            ) from None
        yield


def is_free(folder: Path) -> bool:
    """Whether a folder was held once and its process has ended."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False  # not held yet, or already gone
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def beside(home: Home, root: Path) -> Home:
    """A home that shares nothing with the real one but what was landed and how it is configured now."""
    root.mkdir(parents=True, exist_ok=True)
    landing = root / "landing"
    if not landing.is_symlink():
        landing.symlink_to(home.landing)
    for config in (home.root / "finpipe.toml", home.root / "policies.toml"):
        if config.exists():
            shutil.copy(config, root / config.name)
    return replace(home, root=root)


def make(second: Home, as_of: date, tell: Tell, admits: Callable[[Manifest], bool] = lambda _: True) -> BuildReport:
    """Load, conform, build and test in a second home; what an earlier try finished there is not done again.

    ``admits`` says which landed files there are. Raises ``FinpipeError`` when a row is not accounted for.
    """
    systems = find_systems(second)
    for name, problem in broken_systems(second).items():
        raise FinpipeError(
            f"{name} cannot be read, and figures of another cut need every system",
            where=problem.where,
            got=f"{problem.error}: {problem.got}",
            fix=problem.fix,
        )
    told = lambda what, done, of: tell("load", f"{what} ({done}/{of})")  # noqa: E731
    with ingest.open_raw(second) as (connection, _):
        ingest.load(second, connection, systems, told, admits)
    with ingest.open_warehouse(second) as (connection, _):
        for problem in conform(second, connection, systems, lambda what: tell("conform", what)).aside.values():
            raise problem
        ingest.refresh_row_accounts(second, connection)
        if breaks := ingest.row_account_breaks(connection):
            raise FinpipeError(
                "rows are not accounted for",
                where=f"load {breaks[0][0]}, {breaks[0][1]}.{breaks[0][2]}",
                got=f"{len(breaks)} files",
                fix="finpipe verify; this is a defect of finpipe",
            )
    return build(second, as_of, tell)


def broken(report: BuildReport) -> str:
    """The tests and models that failed, in words; empty when the audit passed."""
    if report.verdict == "passed":
        return ""
    names = sorted(n.unique_id.split(".")[2] for n in report.nodes.values() if n.status in ("error", "fail"))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more or "the build ended early"
