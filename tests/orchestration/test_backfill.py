"""Other cuts than the published one: snapshots of any date, and backfills that are seen before they are published."""

import csv
import fcntl
import io
import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from finpipe import ingest
from finpipe.build import run as build_run
from finpipe.cli import main
from finpipe.orchestration import backfill as backfill_module
from finpipe.orchestration import run as run_module
from finpipe.orchestration.beside import held, make
from finpipe.orchestration.company import Cut, writing
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.publish import publish_audited
from finpipe.orchestration.restate import PERIODS, note_periods
from finpipe.publish import current, manifest_of, publications, query
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems
from finpipe.warehouse import write_lock

from .dbtless import Dbtless

AS_OF = "2025-07-15"
#: Won opportunities of the samples: March 2025 is closed in the ERP, April is open.
MARCH, APRIL = "006QM0000000024AAA", "006QM0000000026AAA"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company that has published once; each test works on a copy."""
    root = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_run, "invoke", Dbtless())
        at(patch, root)
        samples = PROJECT / "sources"
        for system, file in (("netsuite", "accountingperiod.csv"), ("salesforce", "Opportunity.csv")):
            assert finpipe("land", system, str(samples / system / "sample" / file)).exit_code == 0
        line(Home(root / "home"), date.fromisoformat(AS_OF))
    return root


@pytest.fixture(scope="module")
def seen(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same company after two corrections landed, and were previewed."""
    root = tmp_path_factory.mktemp("seen") / "company"
    shutil.copytree(first, root, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_run, "invoke", Dbtless())
        at(patch, root)
        correct(Home(root / "home"))
        with write_lock(Home(root / "home")):  # a preview needs no right to write: micro-batches go on
            assert finpipe("backfill", "2025-Q1").exit_code == 3
    return root


@pytest.fixture
def dbt(monkeypatch: pytest.MonkeyPatch) -> Dbtless:
    instead = Dbtless()
    monkeypatch.setattr(build_run, "invoke", instead)
    monkeypatch.setattr(run_module, "run_job", line)
    return instead


@pytest.fixture
def home(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dbt: Dbtless) -> Home:
    return copied(first, tmp_path, monkeypatch)


@pytest.fixture
def previewed(seen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dbt: Dbtless) -> Home:
    return copied(seen, tmp_path, monkeypatch)


def copied(company: Path, tmp_path: Path, patch: pytest.MonkeyPatch) -> Home:
    shutil.copytree(company, tmp_path / "company", symlinks=True)
    at(patch, tmp_path / "company")
    return Home(tmp_path / "company" / "home")


def line(
    home: Home, as_of: date, _tell: object = None, *, instance: object = None, up_to: int | None = None
) -> run_module.Ran:
    """The whole line without Dagster, whose run costs ten times as much; the story of the demo has it."""
    with writing(home, patience=0):
        cut = Cut(as_of=as_of.isoformat(), up_to=up_to)
        systems = find_systems(home)
        if up_to is None:
            ingest.land_inbox(home, systems)
        make(home, as_of, lambda *_: None, cut.admits)
        done = publish_audited(home, lambda _: None)
        return run_module.Ran("a run", {}, [], [], 0, done.is_new, done.seq)


def at(patch: pytest.MonkeyPatch, root: Path) -> None:
    """Work on the company below a folder, with a Dagster instance of its own."""
    patch.setenv("FINPIPE_HOME", str(root / "home"))
    patch.setenv("FINPIPE_USER", "ann")
    patch.setenv("DAGSTER_HOME", str(root / "dagster"))
    (root / "dagster").mkdir(exist_ok=True)
    (root / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")


def finpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def land(home: Home, name: str, **amounts: str) -> None:
    """Land a newer version of opportunities with other amounts."""
    text = (PROJECT / "sources" / "salesforce" / "sample" / "Opportunity.csv").read_text()
    known = list(csv.DictReader(io.StringIO(text)))
    newer = [{**r, "Amount": amounts[r["Id"]], "SystemModstamp": name} for r in known if r["Id"] in amounts]
    folder = home.root.parent / name.replace(":", "")
    folder.mkdir()
    with (folder / "Opportunity.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(known[0]))
        writer.writeheader()
        writer.writerows(newer)
    assert finpipe("land", "salesforce", str(folder)).exit_code == 0


def correct(home: Home) -> None:
    """March 2025, closed, by 100; April 2025, open, by 50."""
    land(home, "2025-07-14T08:30:00.000Z", **{MARCH: "11500.00", APRIL: "25850.00"})


def looked(*periods: str) -> dict[str, Any]:
    done = finpipe("backfill", *periods, "--json")
    assert done.exit_code in (0, 3), done.output + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def moved(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(d["period"], d["before"], d["after"], d["cause"]) for d in rows]


# Any date, as known at any time


def test_an_earlier_state_is_built_again_with_the_same_digest_beside_what_is_published(home: Home) -> None:
    before = manifest_of(home.published / "1")
    correct(home)
    line(home, date.fromisoformat(AS_OF))
    assert publications(home) == [1, 2]
    files = {p: p.stat().st_mtime_ns for p in home.published.rglob("*")}
    with write_lock(home):  # it needs no right to write
        done = finpipe("build", "--as-of", AS_OF, "--as-known", str(before["load_seq"]), "--json")
    said = json.loads(done.stdout)
    assert said["digest"] == before["digest"] != manifest_of(home.published / "2")["digest"]
    assert (said["as_of"], said["as_known"], said["load_seq"]) == (AS_OF, before["as_known"], before["load_seq"])
    assert files == {p: p.stat().st_mtime_ns for p in home.published.rglob("*")}
    assert not list(home.scratch.glob("beside-*"))
    asked = finpipe(
        "query", "select publication, as_of, load_seq from publication", "--snapshot", said["folder"], "--json"
    )
    assert json.loads(asked.stdout) == [{"publication": None, "as_of": AS_OF, "load_seq": before["load_seq"]}]


def test_a_business_date_cuts_what_came_later(home: Home, dbt: Dbtless, tmp_path: Path) -> None:
    dead, alive = home.scratch / "beside-dead", home.scratch / "beside-alive"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / ".held").touch()
    with held(alive):
        done = finpipe("build", "--as-of", "2024-06-30", "--out", str(tmp_path / "half"), "--json")
        assert (dead.exists(), alive.exists()) == (False, True)  # what a kill left is swept, what lives is not
    assert json.loads(done.stdout)["folder"] == str(tmp_path / "half")
    newest = query(home, "select max(period_ends_on) from period_figures", snapshot=tmp_path / "half").rows
    assert newest == [(date(2024, 6, 30),)]
    dbt.calls = 0
    again = finpipe("build", "--as-of", "2024-06-30", "--out", str(tmp_path / "half"))
    assert "was there already" in again.output
    assert dbt.calls == 0


@pytest.mark.parametrize("known", ["0", "999", "2020-01-01", "2999-01-01", "soon"])
def test_an_as_known_that_cannot_be_meant_makes_nothing(home: Home, dbt: Dbtless, known: str) -> None:
    done = finpipe("build", "--as-of", AS_OF, "--as-known", known)
    assert done.exit_code == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "where", "got", "fix"]
    assert dbt.calls == 0
    assert not home.snapshots.exists()


def test_an_as_of_that_cannot_be_read_is_wrong_usage(home: Home) -> None:
    assert finpipe("build", "--as-of", "2025-02-30").exit_code == 2


def test_a_place_that_something_else_has_is_left_alone(home: Home, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    done = finpipe("build", "--as-of", AS_OF, "--out", str(tmp_path / "notes"))
    assert (done.exit_code, done.stderr.splitlines()[0]) == (1, "error: something else lies there")
    assert (tmp_path / "notes").read_text() == "mine"


def test_figures_that_fail_the_audit_make_no_snapshot(home: Home, dbt: Dbtless) -> None:
    dbt.passes = False
    done = finpipe("build", "--as-of", AS_OF)
    assert done.exit_code == 1
    assert "do not pass the audit" in done.stderr
    assert not home.snapshots.exists()


def test_both_stamps_are_in_the_database_the_manifest_and_each_parquet_file(home: Home) -> None:
    folder = current(home)
    assert folder is not None
    said = manifest_of(folder)
    assert query(home, "select as_of, as_known from publication").rows == [(AS_OF, said["as_known"])]
    received = query(home, "select max(received_at) from ledger.loads").rows[0][0]
    assert received.isoformat() == said["as_known"]
    import pyarrow.parquet as pq  # noqa: PLC0415

    kept = pq.read_schema(folder / "parquet" / "period_figures.parquet").metadata
    assert (kept[b"as_of"].decode(), kept[b"as_known"].decode()) == (AS_OF, said["as_known"])


# Backfill: seen first


def test_nothing_new_is_no_difference_and_computes_nothing(home: Home, dbt: Dbtless) -> None:
    done = finpipe("backfill", "2025-Q1")
    assert done.exit_code == 0
    assert done.output.splitlines()[-1].startswith("no difference: these periods stand as published")
    assert dbt.calls == 0


def test_a_preview_shows_what_would_change_and_where_else_and_publishes_nothing(previewed: Home, dbt: Dbtless) -> None:
    said = looked("2025-Q1")
    assert moved(said["differences"]) == [("Mar 2025", "11400.0000", "11500.0000", "new loads")]
    assert moved(said["differences_elsewhere"]) == [("Apr 2025", "25800.0000", "25850.0000", "new loads")]
    assert [load["file"] for load in said["new_loads"]] == ["Opportunity.csv"]
    assert [d["closed"] for d in said["differences"] + said["differences_elsewhere"]] == [True, False]
    assert publications(previewed) == [1]
    for periods in ("2025-Q2", "Apr 2025", "2025-04", "2025-Q2 Apr 2025", "Apr 2025..2025-Q4"):
        assert moved(looked(periods)["differences"]) == moved(said["differences_elsewhere"])
    shown = finpipe("backfill", "2025-Q1").output
    assert "Elsewhere" in shown
    assert shown.splitlines()[-1].endswith("finpipe backfill 2025-Q1 --commit --reason … --approved-by NAME")
    assert dbt.calls == 0  # what is found out is found out


def test_each_difference_has_one_cause_also_when_the_preview_was_interrupted(previewed: Home, dbt: Dbtless) -> None:
    (previewed.root / "policies.toml").write_text("[tolerances]\norder_days = 77\n")
    cell = {"set": {"amount": "11600"}, "was": {"amount": "11500.00"}}
    fix = {"entity": "opportunities", "row_key": f"crm:{MARCH}", **cell}
    ingest.decide(previewed, [ingest.Decision("fix", "none", "ann", "typo", date(2025, 7, 15), fix)])
    (obsolete,) = previewed.backfills.iterdir()
    dbt.stops_at = 2
    assert finpipe("backfill", "2025-Q1").exit_code == 1
    (work,) = (p for p in previewed.backfills.iterdir() if p != obsolete)
    assert [p.name for p in sorted(work.glob("*.json"))] == ["1.json"]
    dbt.calls, dbt.stops_at = 0, 0
    said = looked("Mar 2025")
    assert dbt.calls == 2  # three steps, one of which was finished
    assert not (work / "home").exists()
    assert moved([d for d in said["differences"] if d["currency"] == "USD"]) == [
        ("Mar 2025", "11400.0000", "11401.0000", "changed policy"),
        ("Mar 2025", "11401.0000", "11501.0000", "new loads"),
        ("Mar 2025", "11501.0000", "11601.0000", "decisions"),
    ]
    assert said["changed"] == ["policy"]


def test_a_preview_that_can_never_be_finished_is_swept(previewed: Home, dbt: Dbtless) -> None:
    (finished,) = previewed.backfills.iterdir()
    stale = previewed.backfills / "stale"
    (stale / "home").mkdir(parents=True)
    (stale / ".held").touch()
    looked("2025-Q1")
    assert list(previewed.backfills.iterdir()) == [finished]


@pytest.mark.parametrize(
    ("periods", "error"),
    [
        (["2031-Q1"], "there is no such period"),
        (["2025-Q2..2025-Q1"], "the span ends before it begins"),
        (["2025-Q1", "Smarch 2025"], "there is no such period"),
    ],
)
def test_periods_that_no_calendar_has_are_refused_at_once(
    home: Home, dbt: Dbtless, periods: list[str], error: str
) -> None:
    correct(home)
    done = finpipe("backfill", *periods)
    assert (done.exit_code, done.stderr.splitlines()[0]) == (1, f"error: {error}")
    assert dbt.calls == 0


# Backfill: published as seen


def commit(*arguments: str) -> Result:
    return finpipe("backfill", *arguments, "--commit", "--reason", "a price was corrected")


def refusal(done: Result) -> str:
    assert done.exit_code == 1, done.output
    return done.stderr.splitlines()[0].removeprefix("error: ")


def test_a_commit_publishes_the_preview_and_logs_each_figure(previewed: Home) -> None:
    inbox = previewed.inbox / "salesforce"
    inbox.mkdir(parents=True)
    shutil.copy(PROJECT / "sources" / "salesforce" / "sample" / "Product2.csv", inbox)
    done = commit("2025-Q1", "--approved-by", "bo")
    assert done.exit_code == 0, done.output + done.stderr
    assert publications(previewed) == [1, 2]
    assert list(inbox.iterdir())  # what came meanwhile waits: it was not previewed
    log = query(previewed, "select * exclude (decision_id, restated_at) from ledger.backfills").rows
    facts = ("bookings", "Mar 2025", date(2025, 3, 31), "", "USD", Decimal(11400), Decimal(11500), "new loads")
    assert log == [(*facts, "a price was corrected", "ann", "bo", date(2025, 7, 15), 1)]
    assert looked("2025-Q1")["differences"] == []
    before = manifest_of(previewed.published / "2")["digest"]
    previewed.warehouse.unlink()  # the log follows from landing, like everything else
    shutil.rmtree(inbox)
    line(previewed, date.fromisoformat(AS_OF))
    assert query(previewed, "select * exclude (decision_id, restated_at) from ledger.backfills").rows == log
    assert manifest_of(previewed.published / "current")["digest"] == before


@pytest.mark.parametrize("second", [[], ["--approved-by", " Ann "]])
def test_a_closed_period_needs_a_second_person(previewed: Home, second: list[str]) -> None:
    assert refusal(commit("2025-Q1", *second)) == "a closed period needs a second person"
    assert publications(previewed) == [1]
    assert finpipe("backfill", "2025-Q1", "--commit").exit_code == 2  # and everything needs a reason


def test_an_open_period_needs_none_and_a_closed_one_never_moves_unasked(previewed: Home) -> None:
    assert refusal(commit("2025-Q2")) == "closed periods that were not asked for would move as well"
    assert publications(previewed) == [1]
    land(previewed, "2025-07-14T09:30:00.000Z", **{MARCH: "11400.00"})
    looked("2025-Q2")
    assert commit("2025-Q2").exit_code == 0
    assert query(previewed, "select period, approved_by from ledger.backfills").rows == [("Apr 2025", None)]


def test_only_what_was_previewed_is_published(home: Home) -> None:
    correct(home)
    assert refusal(commit("2025-Q1", "--approved-by", "bo")) == "nothing was previewed"


def test_new_loads_ask_for_a_new_preview(previewed: Home, dbt: Dbtless) -> None:
    land(previewed, "2025-07-14T09:30:00.000Z", **{MARCH: "11700.00"})
    done = commit("2025-Q1", "--approved-by", "bo")
    assert refusal(done) == "the preview no longer holds"
    assert "new loads: 4 (salesforce Opportunity.csv)" in done.stderr
    assert publications(previewed) == [1]
    assert dbt.calls == 0


def test_a_file_that_lands_in_the_middle_of_a_commit_stops_it(
    previewed: Home, dbt: Dbtless, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object) -> None:
        land(previewed, "2025-07-14T09:30:00.000Z", **{MARCH: "11700.00"})

    monkeypatch.setattr(backfill_module, "land_sightings", late)
    assert refusal(commit("2025-Q1", "--approved-by", "bo")) == "something has landed meanwhile"
    assert publications(previewed) == [1]
    assert not list(previewed.landing.glob("decisions/*/*/*"))


def test_what_fails_the_audit_is_shown_and_not_published(home: Home, dbt: Dbtless) -> None:
    dbt.passes = False
    correct(home)
    done = finpipe("backfill", "2025-Q1")
    assert done.exit_code == 3
    assert "the audit would stop it" in done.output
    assert refusal(commit("2025-Q1", "--approved-by", "bo")) == "the audit would stop this"


def test_a_commit_waits_for_nobody(previewed: Home) -> None:
    with previewed.lock.open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert commit("2025-Q1", "--approved-by", "bo").exit_code == 75


def test_no_difference_commits_nothing(home: Home) -> None:
    looked("2025-Q1")
    assert commit("2025-Q1").output.splitlines()[-1].startswith("no figure differs")
    assert publications(home) == [1]


# From the UI


def test_a_quarter_is_one_run_over_its_partitions(previewed: Home) -> None:
    job = build_defs(previewed).resolve_job_def("backfill_periods")
    with dg.DagsterInstance.get() as instance:
        note_periods(previewed, instance)
        note_periods(previewed, instance)
        periods = instance.get_dynamic_partitions(str(PERIODS.name))
        quarter = [p for p in periods if p.startswith("2025-Q1 ")]
        assert quarter == ["2025-Q1 Jan 2025", "2025-Q1 Feb 2025", "2025-Q1 Mar 2025"]
        span = {"dagster/asset_partition_range_start": quarter[0], "dagster/asset_partition_range_end": quarter[-1]}
        done = job.execute_in_process(instance=instance, tags=span)
        told = {
            e.partition: e.step_materialization_data.materialization.metadata["figures that differ"].value
            for e in done.get_asset_materialization_events()
        }
        assert told == dict(zip(quarter, (0, 0, 1), strict=True))
        assert publications(previewed) == [1]
        config = {"commit": True, "by": "ann", "approved_by": "bo", "reason": "corrected"}
        said = {"ops": {job.nodes[0].name: {"config": config}}}
        assert job.execute_in_process(instance=instance, tags=span, run_config=said).success
    assert publications(previewed) == [1, 2]
