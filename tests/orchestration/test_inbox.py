"""The micro-batch begins by itself: one run for a burst, none for nothing, and loads before reporting."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.instance.config import dagster_instance_config
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from finpipe import ingest
from finpipe.ingest.landing import manifests
from finpipe.ingest.ledger import read_witness
from finpipe.orchestration import inbox
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.jobs import jobs_of
from finpipe.settings import PROJECT, Home
from finpipe.warehouse import write_lock

CRM = 'role = "crm"\nprefixes = ["deals"]\n[tables.deal]\nkey = ["id"]\ncolumns = ["id", "name"]\n'


class Day:
    """A company with one small system of its own, the instance that ``dagster.yaml`` describes, and a clock."""

    def __init__(self, home: Home, instance: dg.DagsterInstance) -> None:
        self.home, self.instance = home, instance
        self.definitions = build_defs(home)
        self.company = inbox.Company(home)
        self.cursor: str | None = None
        self.now = time.time() + 3600  # whatever lies in the inbox has been there for an hour

    def deliver(self, *names: str) -> None:
        folder = self.home.inbox / "deals"
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_text(f"id,name\n{name},x\n")

    def tick(self) -> dg.SensorResult:
        batch, load, *_ = jobs_of([])
        sensor = inbox.inbox_sensor(self.company, batch, load, clock=lambda: self.now)
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, definitions=self.definitions)
        said = sensor(context)
        assert isinstance(said, dg.SensorResult)
        self.cursor = said.cursor
        self.now += inbox.SECONDS_BETWEEN_TICKS
        return said

    def asked(self) -> dg.RunRequest | None:
        said = self.tick()
        assert len(said.run_requests or []) <= 1
        return (said.run_requests or [None])[0]

    def why(self) -> str:
        said = self.tick()
        assert not said.run_requests
        assert said.skip_reason is not None
        return str(said.skip_reason.skip_message)

    def run(self, job: str, status: dg.DagsterRunStatus, minutes: int = 0) -> str:
        """A run as the instance keeps it, with the tags and pools of its job, in a state of the test's choice."""
        definition = self.definitions.resolve_job_def(job)
        pools = {node.definition.pool for node in definition.nodes} - {None}
        run_id = str(uuid.uuid4())
        origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("finpipe"), "__repository__")
        self.instance.add_run(
            dg.DagsterRun(
                job_name=job,
                run_id=run_id,
                status=status,
                tags=definition.run_tags,
                remote_job_origin=RemoteJobOrigin(origin, job),
                run_op_concurrency=RunOpConcurrency(
                    root_key_counts=dict.fromkeys(pools, 1), has_unconstrained_root_nodes=False, all_pools=pools
                ),
            )
        )
        if status != dg.DagsterRunStatus.QUEUED:
            with self.instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
                since = self.now - 60 * minutes
                connection.exec_driver_sql(f"update runs set start_time = {since} where run_id = '{run_id}'")
        return run_id


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    (tmp_path / "sources" / "deals").mkdir(parents=True)
    (tmp_path / "sources" / "deals" / "system.toml").write_text(CRM)
    said, _ = dagster_instance_config(str(PROJECT))
    kept = {k: v for k, v in said.items() if k in ("concurrency", "run_monitoring", "telemetry")}
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text(json.dumps(kept))
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        # Dagster gives a pool its limit only when it meets it for the first time.
        instance.event_log_storage.initialize_concurrency_limit_to_default("warehouse")
        yield Day(Home(tmp_path / "home", tmp_path / "sources"), instance)


def load(day: Day, settle_seconds: int = 0) -> None:
    """What the first step of a run does."""
    ingest.land_inbox(day.home, day.company.systems, settle_seconds)
    with ingest.open_raw(day.home) as (connection, _):
        ingest.load(day.home, connection, day.company.systems)


def test_nothing_new_is_no_run(day: Day) -> None:
    assert day.why() == "nothing new"
    day.deliver("deal.csv.part")
    assert day.why() == "nothing new"


def test_a_burst_is_one_run_that_takes_it_all(day: Day) -> None:
    day.deliver(*(f"deal_{i}.csv" for i in range(20)))
    request = day.asked()
    assert request is not None
    assert request.job_name == "run_pipeline"
    assert request.tags["finpipe/files"] == "20"
    load(day)
    assert len(manifests(day.home)) == 20
    assert day.why() == "nothing new"


def test_a_file_still_being_written_waits_for_a_later_run(day: Day) -> None:
    day.deliver("deal.csv")
    day.now = time.time()
    assert day.why() == "nothing new (1 still being written)"
    load(day, settle_seconds=60)
    assert manifests(day.home) == []
    day.now += 60
    assert day.asked() is not None


def test_while_a_run_waits_or_works_no_second_one_is_asked_for(day: Day) -> None:
    for status in (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED):
        run = day.run("run_pipeline", status)
        day.deliver(f"deal_{status.value}.csv")
        assert "waits or works already" in day.why()
        day.instance.delete_run(run)
    assert day.asked() is not None


def test_the_same_files_left_by_a_run_are_not_asked_for_at_every_tick(day: Day) -> None:
    day.deliver("deal.csv")
    keys = {str((day.asked() or dg.RunRequest()).run_key)}
    for _ in range(24 * 12):
        day.now += 300
        keys |= {str(r.run_key) for r in [day.asked()] if r}
    assert len(keys) == 10  # over a day: at once, after 15 and 30 minutes, 1, 2 and 4 hours, then every 4


def test_a_file_delivered_again_starts_one_run_and_no_more(day: Day) -> None:
    keys = set()
    for _ in range(2):
        day.deliver("deal.csv")
        request = day.asked()
        assert request is not None
        keys.add(request.run_key)
        load(day)
        assert day.why() == "nothing new"
    assert len(keys) == 2  # a key that came before would be ignored by Dagster for ever
    assert len(manifests(day.home)) == 1


def test_landed_files_that_are_not_loaded_start_a_run_too(day: Day, tmp_path: Path) -> None:
    (tmp_path / "deal.csv").write_text("id,name\n1,x\n")
    ingest.land(day.home, day.company.systems["deals"], [tmp_path / "deal.csv"])
    request = day.asked()
    assert request is not None
    load(day)
    assert day.why() == "nothing new"


def test_a_clock_that_goes_back_does_not_hold_files_up(day: Day) -> None:
    day.deliver("deal.csv")
    assert day.asked() is not None
    day.now -= 30 * 24 * 3600
    assert day.asked() is not None


def test_a_cursor_that_cannot_be_read_is_none(day: Day) -> None:
    day.cursor = "not ours"
    day.deliver("deal.csv")
    assert day.asked() is not None


def test_an_inbox_of_no_system_is_named(day: Day) -> None:
    (day.home.inbox / "dealz").mkdir(parents=True)
    (day.home.inbox / "dealz" / "deal.csv").write_text("id,name\n1,x\n")
    assert day.why() == "nothing new (no system is called dealz)"


@pytest.mark.parametrize("heavy", ["build_marts", "run_pipeline"])
def test_what_comes_during_a_long_run_is_loaded_beside_it_and_built_after_it(day: Day, heavy: str) -> None:
    run = day.run(heavy, dg.DagsterRunStatus.STARTED, minutes=30)
    day.deliver("deal.csv")
    with write_lock(day.home):  # the mart is being built
        request = day.asked()
        assert request is not None
        assert request.job_name == "load_extracts"
        job = day.definitions.resolve_job_def("load_extracts")
        assert job.execute_in_process(instance=day.instance, run_config={"ops": {"load": {"config": {}}}}).success
        assert len(manifests(day.home)) == 1
        assert read_witness(day.home.witness) is not None
    day.instance.delete_run(run)
    after = day.asked()
    assert after is not None
    assert after.job_name == "run_pipeline"
    day.run("run_pipeline", dg.DagsterRunStatus.STARTED, minutes=-1)  # it begins after that load: it maps all of it
    assert day.why() == "nothing new"


def test_a_run_that_died_is_asked_for_again_when_dagsters_own_retry_is_lost(day: Day) -> None:
    run = day.run("run_pipeline", dg.DagsterRunStatus.STARTED)
    day.instance.report_run_failed(day.instance.get_run_by_id(run))  # type: ignore[arg-type]
    day.now = time.time()
    assert day.why() == "nothing new"  # the retry has its time
    day.now += inbox.RETRIED_WITHIN_SECONDS
    assert day.asked() is not None
    for _ in range(20):
        assert "tried again later" in day.why()
    day.now += inbox.FIRST_RETRY_SECONDS
    assert day.asked() is not None
    succeeded = day.run("run_pipeline", dg.DagsterRunStatus.SUCCESS)
    assert day.why() == "nothing new"
    day.instance.delete_run(succeeded)


def test_a_run_that_failed_by_itself_waits_for_what_mends_it(day: Day) -> None:
    run = day.instance.get_run_by_id(day.run("run_pipeline", dg.DagsterRunStatus.STARTED))
    assert run is not None
    day.instance.report_run_failed(run, None, JobFailureData(None, RunFailureReason.STEP_FAILURE))
    assert day.why() == "nothing new"


def test_of_runs_that_wait_loads_go_first_and_one_at_a_time(day: Day) -> None:
    for job in ("build_marts", "publish_snapshot", "run_pipeline", "load_extracts"):
        day.run(job, dg.DagsterRunStatus.QUEUED)
    config = day.instance.get_concurrency_config()
    started = []
    for _ in range(3):
        chosen = QueuedRunCoordinatorDaemon(1)._get_runs_to_dequeue(day.instance, config, None)
        started.append([run.job_name for run in chosen])
        for run in chosen:
            day.instance.delete_run(run.run_id)
    assert started[0] == ["load_extracts", "run_pipeline"]  # a load needs no warehouse; one run has it
    assert started[1:] == [["publish_snapshot"], ["build_marts"]]


def test_a_running_mart_holds_the_warehouse_but_no_load(day: Day) -> None:
    day.run("build_marts", dg.DagsterRunStatus.STARTED)
    for job in ("load_extracts", "run_pipeline"):
        day.run(job, dg.DagsterRunStatus.QUEUED)
    chosen = QueuedRunCoordinatorDaemon(1)._get_runs_to_dequeue(
        day.instance, day.instance.get_concurrency_config(), None
    )
    assert [run.job_name for run in chosen] == ["load_extracts"]


def test_a_broken_mart_does_not_undo_a_load(day: Day) -> None:
    """The load has committed before anything is built, and its job holds nothing that is built."""
    order = [node.name for node in day.definitions.resolve_job_def("run_pipeline").nodes_in_topological_order]
    assert order.index("load") < min(order.index(step) for step in ("conform", "build", "publish"))
    assert [n.name for n in day.definitions.resolve_job_def("load_extracts").nodes] == ["load"]


LIVE = """
import pathlib

import dlt


def newest(settings):
    return pathlib.Path(settings["file"]).stat().st_mtime_ns


def source(settings):
    return dlt.resource([{"id": pathlib.Path(settings["file"]).read_text(), "name": "x"}], name="deal")
"""


def test_a_live_system_starts_a_run_when_its_mark_moved_and_at_no_other_tick(day: Day, tmp_path: Path) -> None:
    live, told = tmp_path / "sources" / "live", tmp_path / "deals.txt"
    live.mkdir()
    told.write_text("1")
    (live / "system.toml").write_text(f'file = "{told}"\n{CRM}')
    (live / "extract.py").write_text(LIVE)
    for number in (1, 2):
        request = day.asked()
        assert request is not None
        assert request.job_name == "run_pipeline"
        inbox.take_in(day.home, day.company.systems)  # what the first step of the run does
        load(day)
        assert len(manifests(day.home)) == number
        assert day.why() == "nothing new"
        told.write_text(f"{number + 1}")
    day.cursor = None
    told.unlink()
    assert "set aside: live, live does not answer: FileNotFoundError" in day.why()


def test_a_broken_description_holds_up_no_other_system(day: Day, tmp_path: Path) -> None:
    (tmp_path / "sources" / "broken").mkdir()
    (tmp_path / "sources" / "broken" / "system.toml").write_text("role = 'crm'\n[tables")
    assert day.why().startswith("nothing new (set aside: broken, a system's description is broken: Expected")
    day.deliver("deal.csv")
    assert day.asked() is not None
    load(day)
    assert [m.system for m in manifests(day.home)] == ["deals"]
