"""Loads before reporting, for real: a mart that takes for ever, or breaks, neither delays nor undoes a load."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from finpipe.build import run as build_run
from finpipe.errors import BusyError
from finpipe.orchestration.company import loading
from finpipe.warehouse import connect, raw_lock, write_lock
from tests.line import load_and_conform

from .test_inbox import Day, day, load  # noqa: F401 - a fixture


def waits_and_loads(day: Day) -> None:  # noqa: F811
    """What the step of a load does: it waits for whoever loads or maps, then takes in and loads what is there."""
    with loading(day.home):
        load(day)


def loaded(home: Any) -> list[str]:
    with connect(home, home.raw) as connection:
        sql = "select original_name from ledger.loads where system = 'deals' and verdict = 'loaded' order by load_seq"
        return [row[0] for row in connection.execute(sql).fetchall()]


@contextmanager
def building(home: Any, until: Path) -> Iterator[None]:
    """A process of its own that is held up in dbt, as by a heavy mart, until a file appears."""
    began, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with write_lock(home), connect(home):
            os.write(tell, b"x")
            while not until.exists():
                time.sleep(0.05)
        os._exit(0)
    os.read(began, 1)
    try:
        yield
    finally:
        until.touch()
        os.waitpid(child, 0)


def test_a_heavy_mart_delays_no_load(day: Day, tmp_path: Path) -> None:  # noqa: F811
    """While another process builds in the warehouse, deliveries are landed and loaded as if nobody did."""
    with building(day.home, tmp_path / "built"):
        day.deliver("deal.csv")
        with pytest.raises(BusyError), write_lock(day.home):
            pass
        job = day.definitions.resolve_job_def("load_extracts")
        assert job.execute_in_process(instance=day.instance, run_config={"ops": {"load": {"config": {}}}}).success
        assert loaded(day.home) == ["deal.csv"]


def test_a_load_waits_for_rows_that_are_being_mapped_and_no_longer(day: Day) -> None:  # noqa: F811
    day.deliver("deal.csv")
    waiting = threading.Thread(target=lambda: waits_and_loads(day))
    with raw_lock(day.home):
        waiting.start()
        time.sleep(0.5)
        assert waiting.is_alive()
    waiting.join(60)
    assert loaded(day.home) == ["deal.csv"]


def test_a_broken_mart_leaves_what_was_loaded_and_the_next_load_works(
    day: Day,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*_: object, **__: object) -> bool:
        raise RuntimeError("a mart that cannot be built")

    monkeypatch.setattr(build_run, "invoke", breaks)
    for number, name in enumerate(("deal.csv", "deal_2.csv"), start=1):
        day.deliver(name)
        waits_and_loads(day)
        if number == 1:
            load_and_conform(day.home, day.company.systems)
        with pytest.raises(RuntimeError, match="cannot be built"):
            build_run.build(day.home, date(2025, 7, 15))
        assert len(loaded(day.home)) == number
