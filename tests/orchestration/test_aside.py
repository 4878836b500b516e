"""One broken system or one failed run is told, once, by the routes of the policy; everything else goes on."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from finpipe import ingest
from finpipe.cli import main
from finpipe.errors import FinpipeError
from finpipe.ingest.landing import manifests
from finpipe.orchestration.aside import must_stand, note_aside, set_aside
from finpipe.orchestration.company import Company
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.failures import OF_HOME
from finpipe.orchestration.observe import ENDED, USUAL, freshness_sensor, watched
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems
from finpipe.warehouse import connect

CRM = 'role = "crm"\nprefixes = ["deals"]\n[tables.deal]\nkey = ["id"]\ncolumns = ["id", "name"]\n'


class Desk:
    """A company with two small systems of its own, and the sensor that tells of what is wrong."""

    def __init__(self, root: Path, instance: dg.DagsterInstance) -> None:
        self.root, self.instance = root, instance
        for name in ("deals_a", "deals_b"):
            self.describe(name, CRM)
        self.home = Home(root / "home", root / "sources")
        self.at = datetime.now(UTC)
        self.checks = watched(find_systems(self.home))
        self.cursor: str | None = None

    def describe(self, system: str, text: str) -> None:
        (self.root / "sources" / system).mkdir(parents=True, exist_ok=True)
        (self.root / "sources" / system / "system.toml").write_text(text)

    def deliver(self, *systems: str) -> None:
        for name in systems:
            (self.home.inbox / name).mkdir(parents=True, exist_ok=True)
            (self.home.inbox / name / "deal.csv").write_text(f"id,name\n{uuid.uuid4()},x\n")

    def tick(self) -> dict[str, bool]:
        """Judge five minutes later; returns the checks that were recorded."""
        self.at += timedelta(minutes=5)
        sensor = freshness_sensor(Company(self.home), self.checks, lambda: self.at)
        said = sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(said, dg.SensorResult)
        self.cursor = said.cursor
        return {f"{e.asset_key.path[-1]} {e.check_name}": e.passed for e in said.asset_events}

    def told(self, kind: str) -> list[tuple[str, str]]:
        """What went to the log of alerts about one kind of cause: event and subject."""
        log = self.home.root / "alerts.log"
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [(said["event"], said["subject"]) for said in lines if said["kind"] == kind]

    def ran(self, job: str, status: dg.DagsterRunStatus, **tags: str) -> None:
        self.instance.add_run(dg.DagsterRun(job_name=job, run_id=str(uuid.uuid4()), status=status, tags=tags))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("FINPIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINPIPE_SOURCES", str(tmp_path / "sources"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Desk(tmp_path, instance)


def finpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_broken_description_is_told_once_and_the_others_go_on(desk: Desk) -> None:
    desk.describe("deals_a", CRM.replace("columns", "colums"))
    desk.deliver("deals_a", "deals_b")
    ingest.land_inbox(desk.home, find_systems(desk.home))
    assert [m.system for m in manifests(desk.home)] == ["deals_b"]
    assert len(list((desk.home.inbox / "deals_a").iterdir())) == 1  # it waits, untouched
    assert desk.tick()[f"deals_a {USUAL}"] is False
    desk.tick()
    assert desk.told("system set aside") == [("raised", "deals_a")]
    build_defs(desk.home)  # the UI opens all the same
    desk.describe("deals_a", CRM)
    assert desk.tick()[f"deals_a {USUAL}"] is True
    assert desk.told("system set aside") == [("raised", "deals_a"), ("recovered", "deals_a")]
    assert [f.verdict for f in ingest.land_inbox(desk.home, find_systems(desk.home))] == ["landed"]


def test_status_and_systems_name_what_is_set_aside(desk: Desk) -> None:
    desk.describe("deals_a", "role = 'crm'\n[tables")
    note_aside(
        desk.home, "conform", {"deals_b": FinpipeError("a mapping does not run", where="x.sql", got="no", fix="f")}
    )
    status = finpipe("status")
    assert status.exit_code == 3, status.output
    said = json.loads(finpipe("status", "--json").stdout)
    assert {c["subject"] for c in said["causes"] if c["kind"] == "system set aside"} == {"deals_a", "deals_b"}
    systems = finpipe("systems")
    assert (systems.exit_code, "deals_a is set aside" in systems.output) == (3, True)
    assert finpipe("doctor").exit_code in (1, 3)
    refused = finpipe("land", "deals_a", str(PROJECT / "README.md"))
    assert (refused.exit_code, "a system's description is broken" in refused.stderr) == (1, True)


def test_due_dates_that_cannot_be_read_are_told_of_their_system_alone(desk: Desk) -> None:
    desk.describe("deals_a", CRM + "[due]\ncadence = 'hourly'\n")
    desk.deliver("deals_a", "deals_b")
    ingest.land_inbox(desk.home, find_systems(desk.home))
    assert desk.tick()[f"deals_a {USUAL}"] is False
    assert desk.told("system set aside") == [("raised", "deals_a")]


def test_what_a_stage_found_stands_until_the_same_stage_finds_it_well(desk: Desk) -> None:
    problem = FinpipeError("it does not answer")
    note_aside(desk.home, "live", {"deals_a": problem})
    note_aside(desk.home, "conform", {})
    assert list(set_aside(desk.home)) == ["deals_a"]
    note_aside(desk.home, "live", {}, unsure=["deals_a"])
    assert list(set_aside(desk.home)) == ["deals_a"]
    note_aside(desk.home, "live", {})
    assert set_aside(desk.home) == {}
    (desk.home.root / "aside.json").write_text("{")
    assert set_aside(desk.home) == {}


def test_a_failed_run_is_told_once_and_its_end_is_announced(desk: Desk) -> None:
    failure, success = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
    desk.ran("run_pipeline", success)
    assert desk.tick()[f"finance {ENDED}"] is True
    desk.ran("run_pipeline", failure)
    assert desk.tick()[f"finance {ENDED}"] is False
    desk.ran("run_pipeline", failure)
    desk.tick()
    assert desk.told("run failed") == [("raised", "run_pipeline")]
    desk.ran("run_pipeline", success)
    assert desk.tick()[f"finance {ENDED}"] is True
    assert desk.told("run failed") == [("raised", "run_pipeline"), ("recovered", "run_pipeline")]


def test_a_run_of_the_whole_line_makes_good_what_failed_in_part_of_it(desk: Desk) -> None:
    failure, success = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS
    desk.ran("load_extracts", failure)
    desk.ran("backfill_periods", failure)
    desk.tick()
    desk.ran("run_pipeline", success)
    desk.tick()
    told = [("raised", "load_extracts"), ("raised", "backfill_periods"), ("recovered", "load_extracts")]
    assert sorted(desk.told("run failed")) == sorted(told)


def test_runs_of_another_home_and_those_tried_again_are_nobodys_failure(desk: Desk) -> None:
    desk.ran("run_pipeline", dg.DagsterRunStatus.FAILURE, **{OF_HOME: "/somewhere/else"})
    desk.ran("run_pipeline", dg.DagsterRunStatus.FAILURE, **{"dagster/will_retry": "true"})
    desk.tick()
    assert desk.told("run failed") == []


def test_what_a_failed_step_said_stands_in_the_alert(desk: Desk) -> None:
    @dg.op
    def load() -> None:
        raise dg.Failure("the disk is full", {"where": "/data", "got": "0 bytes", "fix": "make room"})

    @dg.job(name="load_extracts")
    def job() -> None:
        load()

    job.execute_in_process(instance=desk.instance, raise_on_error=False)
    desk.tick()
    (line,) = [x for x in (desk.home.root / "alerts.log").read_text().splitlines() if "run failed" in x]
    assert "the disk is full; 0 bytes" in json.loads(line)["sentence"]


def test_a_publication_never_loses_a_system_that_is_set_aside(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working database was lost while the system cannot be read: nothing is published without it."""
    from contextlib import contextmanager  # noqa: PLC0415

    from finpipe.orchestration import aside as module  # noqa: PLC0415

    with connect(desk.home) as connection:
        connection.execute("create table canonical.opportunities as select 'deals_a' as system")
        must_stand(desk.home, connection, ["deals_a"])  # nothing is published: nothing can be lost

        @contextmanager
        def published(_: Home) -> Iterator[object]:
            yield connection.cursor()

        monkeypatch.setattr(module, "current", lambda _: desk.root)
        monkeypatch.setattr(module, "manifest_of", lambda _: {"tables": {"canonical.opportunities": 1}})
        monkeypatch.setattr(module, "reading", published)
        must_stand(desk.home, connection, ["deals_a"])
        with connect(desk.home, desk.root / "lost.duckdb") as lost:
            lost.execute("create table canonical.opportunities as select 'deals_b' as system")
            with pytest.raises(FinpipeError, match="nothing of it") as refused:
                must_stand(desk.home, lost, ["deals_a"])
            assert refused.value.got == "deals_a"
            must_stand(desk.home, lost, [])
