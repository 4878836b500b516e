"""Whether a run's process lives: asked by Dagster's run monitoring, so that a killed run holds nothing up."""

import json
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._core.launcher import WorkerStatus
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from finpipe.orchestration import launcher
from finpipe.settings import PROJECT


class Workspace:
    """As much of a workspace as run monitoring needs when nothing is resumed."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def create_request_context(self) -> None:
        return None


@dg.op
def sleep(context: dg.OpExecutionContext) -> None:
    time.sleep(60)


@dg.job(executor_def=dg.in_process_executor)
def work() -> None:
    sleep()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    said, _ = dagster_instance_config(str(PROJECT))
    kept = {k: v for k, v in said.items() if k in ("run_launcher", "run_monitoring", "run_retries", "telemetry")}
    (tmp_path / "dagster.yaml").write_text(json.dumps(kept))
    with dg.DagsterInstance.from_config(str(tmp_path)) as found:
        yield found


def started(instance: dg.DagsterInstance, folder: Path) -> tuple[dg.DagsterRun, int]:
    """A run that works in a process of its own, as ``finpipe run`` does."""

    def go() -> None:
        with dg.DagsterInstance.from_config(str(folder)) as own:
            work.execute_in_process(instance=own)

    child = multiprocessing.get_context("fork").Process(target=go, daemon=True)
    child.start()
    for _ in range(600):
        runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        if runs and launcher._process(instance, runs[0].run_id):
            assert child.pid is not None
            return runs[0], child.pid
        time.sleep(0.05)
    raise AssertionError("the run did not start")


def test_a_run_whose_process_was_killed_is_ended_and_one_that_works_is_left(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run, child = started(instance, tmp_path)
    logger = logging.getLogger("test")
    list(execute_run_monitoring_iteration(Workspace(instance), logger))  # type: ignore[arg-type]
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.STARTED  # type: ignore[union-attr]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    list(execute_run_monitoring_iteration(Workspace(instance), logger))  # type: ignore[arg-type]
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]


def test_a_number_given_out_again_is_another_process() -> None:
    now = time.time()
    assert launcher.is_alive(os.getpid(), now)
    assert not launcher.is_alive(os.getpid(), now - 365 * 24 * 3600)


def test_a_process_that_ended_and_was_not_fetched_is_dead() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    time.sleep(0.2)
    assert not launcher.is_alive(child, time.time())
    os.waitpid(child, 0)


def test_a_run_that_names_no_process_is_given_time(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.create_run_for_job(work)
    asked = instance.run_launcher.check_run_worker_health
    assert asked(run).status == WorkerStatus.RUNNING
    monkeypatch.setattr(launcher.time, "time", lambda: datetime.now(UTC).timestamp() + launcher.UNNAMED_SECONDS + 1)
    assert asked(run).status == WorkerStatus.FAILED
