"""Starts of the proof of concurrency: real processes that want the warehouse at the same moment.

Each runs in a process of its own, forked from a warm one, and tells how it ended and when it held the write lock.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path

import click
import dagster as dg

from finpipe import ingest
from finpipe.cli.base import Commands
from finpipe.cli.main import main as finpipe
from finpipe.ingest import stage
from finpipe.orchestration import company as company_module
from finpipe.orchestration.company import Company, loading
from finpipe.orchestration.load import load_assets
from finpipe.settings import Home
from finpipe.warehouse import raw_lock

stage.quiet_dlt()


def start(kind: str, home: Home, files: list[Path], go: Event, said: Path) -> None:
    """Wait for the word, do what the kind does, and leave as its command leaves."""
    with said.open("w") as told, said.with_suffix(".out").open("w") as out:
        company_module.raw_lock = _recorded(told)  # type: ignore[assignment]
        go.wait(60)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            KINDS[kind](home, files)


def _recorded(told):  # type: ignore[no-untyped-def]
    """The lock of raw, which also writes down when it was held."""

    @contextlib.contextmanager
    def lock(home: Home) -> Iterator[None]:
        with raw_lock(home):
            held = time.monotonic()
            try:
                yield
            finally:
                told.write(json.dumps([held, time.monotonic(), os.getpid()]) + "\n")
                told.flush()

    return lock


def _load(home: Home) -> None:
    systems = {"deals": Company(home).systems["deals"]}
    ingest.land_inbox(home, systems)
    with ingest.open_raw(home) as (connection, _):
        ingest.load(home, connection, systems)


def _cli(home: Home, _: list[Path]) -> None:
    """A command: it takes the lock or leaves with 75 at once."""

    @click.group(cls=Commands)
    def group() -> None: ...

    @group.command()
    def load() -> int:
        with loading(home, patience=0):
            _load(home)
        return 0

    group(["load"])


def _step(home: Home, _: list[Path]) -> None:
    """A step of a run under Dagster: it waits for the lock."""
    with loading(home):
        _load(home)


def _job(home: Home, _: list[Path]) -> None:
    """The real step in a real run of an instance of its own."""
    company = Company(home)
    assets = load_assets({"deals": company.systems["deals"]})
    done = dg.materialize([assets], resources={"company": company}, raise_on_error=False)
    sys.exit(0 if done.success else 1)


def _land(home: Home, files: list[Path]) -> None:
    """``finpipe land`` of the same files as others: it needs no lock."""
    os.environ["FINPIPE_HOME"] = str(home.root)
    os.environ["FINPIPE_SOURCES"] = str(home.extra_sources)
    finpipe(["land", "deals", *map(str, files)])


def _run(home: Home, _: list[Path]) -> None:
    """``finpipe run``: the whole line, with an instance of the trial's own."""
    instance = home.root.parent / "dagster"
    instance.mkdir(exist_ok=True)
    (instance / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    os.environ["DAGSTER_HOME"] = str(instance)
    os.environ["FINPIPE_HOME"] = str(home.root)
    os.environ["FINPIPE_SOURCES"] = str(home.extra_sources)
    finpipe(["run", "--as-of", "2025-07-15"])


KINDS = {"cli": _cli, "step": _step, "job": _job, "land": _land, "run": _run}
