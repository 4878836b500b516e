"""Verdicts stand at the assets as checks, recorded without a run; the CLI says the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from finpipe import ingest
from finpipe.cli import main
from finpipe.errors import FinpipeError
from finpipe.observe.published import EVENTS, MILESTONES, read
from finpipe.orchestration.company import Company
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.observe import COMES, USUAL, freshness_checks, freshness_sensor, watched
from finpipe.orchestration.watch import judged
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems
from finpipe.warehouse import STILL_REFUSED

BANK = dg.AssetKey(["landing", "bank"])
STATEMENT = PROJECT / "sources" / "bank" / "sample" / "statement_EUR.csv"


class Watch:
    """A company, an instance, and a clock."""

    def __init__(self, home: Home, instance: dg.DagsterInstance) -> None:
        self.home, self.instance = home, instance
        self.cursor: str | None = None
        self.at = datetime.now(UTC)
        self.checks = watched(find_systems(home))

    def tick(self) -> dg.SensorResult:
        sensor = freshness_sensor(Company(self.home), self.checks, lambda: self.at)
        said = sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(said, dg.SensorResult)
        assert not said.run_requests
        self.cursor = said.cursor
        for event in said.asset_events:
            self.instance.report_runless_asset_event(event)
        return said

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        key = dg.AssetCheckKey(BANK, name)
        record = self.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        said = record.event.dagster_event.event_specific_data
        assert isinstance(said, dg.AssetCheckEvaluation)
        return said


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setenv("FINPIPE_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watch(Home(tmp_path / "home"), instance)


def test_a_late_system_is_a_failed_check_without_a_run(watch: Watch) -> None:
    ingest.land(watch.home, find_systems(watch.home)["bank"], [STATEMENT])
    watch.at += timedelta(days=370)
    watch.tick()
    said = watch.check(COMES)
    assert not said.passed
    assert said.severity == dg.AssetCheckSeverity.ERROR
    assert "nothing landed for" in str(said.description)
    (cause,) = said.metadata["causes"].records  # type: ignore[union-attr]
    assert cause.data["kind"] == "not arrived"
    assert said.metadata.keys() >= {"judged at", "due", "files", "last received"}
    assert watch.check(USUAL).passed
    assert watch.instance.get_runs() == []
    assert json.loads((watch.home.root / "alerts.log").read_text().splitlines()[0])["event"] == "raised"


def test_every_recorded_check_is_defined_where_people_look_for_it(watch: Watch) -> None:
    known = build_defs(watch.home).resolve_asset_graph().asset_check_keys
    recorded = {dg.AssetCheckKey(e.asset_key, e.check_name) for e in watch.tick().asset_events}
    assert recorded == {w.spec.key for w in watch.checks}
    assert recorded <= known


def test_a_verdict_is_recorded_when_it_changes_and_once_a_day(watch: Watch) -> None:
    assert len(watch.tick().asset_events) == len(watch.checks)
    watch.at += timedelta(minutes=5)
    assert watch.tick().asset_events == []
    (watch.home.inbox / "bank" / "_refused").mkdir(parents=True)
    (watch.home.inbox / "bank" / "_refused" / "x.csv").write_text("?")
    watch.at += timedelta(minutes=5)
    changed = [e.check_name for e in watch.tick().asset_events if e.check_name == USUAL]
    assert changed == [USUAL]
    assert not watch.check(USUAL).passed
    watch.at += timedelta(days=1)
    assert len(watch.tick().asset_events) == len(watch.checks)
    watch.at -= timedelta(days=400)  # a clock that goes back
    assert len(watch.tick().asset_events) == len(watch.checks)


def test_people_can_start_the_same_checks(watch: Watch) -> None:
    ingest.land(watch.home, find_systems(watch.home)["bank"], [STATEMENT])
    job = dg.Definitions(
        assets=[dg.AssetSpec(w.spec.asset_key) for w in watch.checks if w.spec.name == COMES],
        asset_checks=[freshness_checks(Company(watch.home), watch.checks)],
        jobs=[dg.define_asset_job("look", dg.AssetSelection.all_asset_checks())],
    ).resolve_job_def("look")
    result = job.execute_in_process(instance=watch.instance)
    assert len(result.get_asset_check_evaluations()) == len(watch.checks)


def test_status_says_what_the_sensor_says(watch: Watch) -> None:
    ingest.land(watch.home, find_systems(watch.home)["bank"], [STATEMENT])
    said = json.loads(CliRunner().invoke(main, ["status", "--json"]).stdout)
    verdicts = {v["subject"]: v["state"] for v in said["freshness"]}
    assert verdicts == {v.subject: v.state for v in judged(watch.home).verdicts}


def test_rules_that_cannot_be_meant_are_refused_before_anything_is_judged(watch: Watch) -> None:
    watch.home.root.mkdir()
    (watch.home.root / "policies.toml").write_text('[alerts.routes.x]\nto = ["nowhere"]\n')
    with pytest.raises(FinpipeError, match="leads nowhere"):
        judged(watch.home)


def test_a_publication_is_asked_with_the_columns_that_it_has(tmp_path: Path) -> None:
    """The questions bind against tables of just the columns they name, and count what they should."""
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        connection.execute("create schema canonical; create schema ledger")
        for entity, day in EVENTS:
            column = "valid_from" if "valid_from" in day else day
            connection.execute(f"create table canonical.{entity} (system text, {column} date, is_deleted boolean)")
        connection.execute(
            "insert into canonical.invoices values ('erp', '2026-01-05', false), ('erp', '2026-01-05', false), "
            "('erp', '2026-01-06', true), ('erp', '2026-01-07', false), ('erp', '2027-01-01', false), "
            "('old', '2020-01-01', false)"
        )
        connection.execute(
            "create table ledger.loads as select * from (values (1, 'erp', 'a.csv', 'loaded', ''), "
            "(2, 'erp', 'b.csv', 'loaded', ''), (3, 'erp', 'c.csv', 'refused', 'torn')) "
            "as t(load_seq, system, original_name, verdict, reason)"
        )
        connection.execute(
            "create table ledger.loaded_tables as select * from (values (1, 'erp', 't', 5), (2, 'erp', 't', 7)) "
            "as t(load_seq, system, table_name, rows)"
        )
        connection.execute(
            "create table reconciliations as select 'R05' as reconciliation_id, 'x' as leg, 'ar' as owner, "
            "'l' as left_name, 'r' as right_name, 2 as finding_count, 1 as blocking_count, 3.00 as difference_amount, "
            "'USD' as currency, 'Jan 2026' as period, 'red' as status"
        )
        days = ", ".join(f"{4 if i == 1 else 0} as {d}, null::date as {r}" for i, (_, d, r) in enumerate(MILESTONES))
        connection.execute(f"create table quote_to_cash as select 'EUR' as currency, 10.0 as tcv_amount, {days}")
        said: dict[str, object] = {"publication": 4, "as_of": "2026-01-31", "published_at": "2026-02-01T06:00:00+00:00"}
        said["tables"] = {"main.billings": {}}
        found = read(connection, said, STILL_REFUSED)
    assert [str(d) for d in found.days["erp"]["invoices"]] == ["2026-01-05", "2026-01-07"]
    assert {name: str(day) for name, day in found.newest.items()} == {"erp": "2026-01-07", "old": "2020-01-01"}
    assert "old" not in found.days
    assert found.counts == (("erp", "t", "b.csv", 7, [5]),)
    assert found.tables == {"billings"}
    assert found.refused == (("erp", "c.csv", "torn"),)
    assert [(r.reconciliation, r.findings, r.amounts) for r in found.red] == [("R05", 2, "3.00 USD")]
    assert [(m.milestone, m.bookings, m.days) for m in found.late] == [("invoice", 1, 4)]
