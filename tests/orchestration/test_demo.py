"""The story of the whole line: a newcomer lands the samples, runs, runs again, and builds it all anew."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.orchestration import run as run_module
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems

SAMPLES = sorted(PROJECT.glob("sources/*/sample"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A company that has landed every sample, with a Dagster instance of its own."""
    root = tmp_path_factory.mktemp("demo")
    patch = pytest.MonkeyPatch()
    patch.setenv("FINPIPE_HOME", str(root / "home"))
    patch.setenv("DAGSTER_HOME", str(root / "dagster"))
    (root / "dagster").mkdir()
    (root / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    yield Home(root / "home")
    patch.undo()


@pytest.fixture(scope="module")
def first(home: Home) -> Result:
    for sample in SAMPLES:
        if sample.parent.name == "bank":  # the run takes what lies in an inbox
            shutil.copytree(sample, home.inbox / "bank")
        else:
            assert finpipe("land", sample.parent.name, str(sample)).exit_code == 0
    return finpipe("run", "--as-of", "2025-07-15")


def finpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def figures(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.published / "current" / "finance.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_the_run_ends_with_one_screen(first: Result, home: Home) -> None:
    assert first.exit_code == 3, first.output + first.stderr  # the samples hold honest differences
    for said in (
        "rows = accepted + superseded",
        "Bookings, billings and collections",
        "Reconciliations",
        "unexplained",
    ):
        assert said.lower() in first.output.lower()
    assert first.output.splitlines()[-1].count(" | ") == 2  # three commands to try next
    assert "Traceback" not in first.output + first.stderr


def test_every_row_is_accounted_for(first: Result, home: Home) -> None:
    assert figures(home, "select count(*) > 0, count(distinct system) from ledger.row_accounts") == [
        (True, len(SAMPLES))
    ]
    wrong = "select * from ledger.row_accounts where rows <> accepted + superseded + duplicate + quarantined"
    assert figures(home, wrong) == []


def test_nothing_is_left_unexplained(first: Result, home: Home) -> None:
    assert figures(home, "select distinct reconciliation_id from reconciliations where unexplained_amount <> 0") == []
    found = {row[0] for row in figures(home, "select distinct reconciliation_id from reconciliations")}
    assert found >= {"R04", "R05", "R06", "R07", "R08", "R09", "R10", "R11", "R13", "R16", "R18", "R19"}


def test_every_table_and_column_has_its_description(first: Result, home: Home) -> None:
    tables = "select schema_name || '.' || table_name from duckdb_tables() where comment is null"
    columns = (
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where comment is null and not internal"
    )
    assert figures(home, tables) + figures(home, columns) == []


def test_dagster_shows_every_table_with_its_numbers(first: Result, home: Home) -> None:
    with run_module.project_instance() as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert run.tags[".dagster/repository"] == "__repository__@finpipe"  # so the UI lists it with its job
        for key in (
            ["raw_stripe", "invoice"],
            ["canonical", "invoices"],
            ["marts", "billings"],
            ["published", "finance"],
        ):
            event = instance.get_latest_materialization_event(dg.AssetKey(key))
            assert event is not None
            assert event.asset_materialization is not None
            assert event.asset_materialization.metadata["dagster/row_count"].value > 0
        lineage = instance.get_latest_materialization_event(dg.AssetKey(["marts", "billings"]))
        assert lineage is not None
        assert "dagster/column_lineage" in lineage.asset_materialization.metadata


def test_dagster_shows_how_new_the_rows_are_and_what_dagster_dbt_knows(first: Result, home: Home) -> None:
    with run_module.project_instance() as instance:
        raw = instance.get_latest_materialization_event(dg.AssetKey(["raw_stripe", "invoice"]))
        mart = instance.get_latest_materialization_event(dg.AssetKey(["marts", "billings"]))
        assert raw is not None
        assert raw.asset_materialization is not None
        assert raw.asset_materialization.metadata.keys() >= {"newest_record_at", "last_received_at", "rows_new"}
        assert mart is not None
        assert mart.asset_materialization is not None
        said = mart.asset_materialization.metadata
        assert said.keys() >= {"Execution Duration", "status", "totals", "build", "dagster/column_lineage"}


def test_the_queue_shows_what_people_decided(first: Result, home: Home) -> None:
    sql = "select code, state, waiver, assigned_to, approved_by from exceptions where state <> 'open' order by code"
    assert figures(home, sql) == [
        ("CUS-ATTR", "approved", None, None, "controller"),
        ("INV-TAX", "waived", "in force", None, None),
        ("PAY-SHORT", "assigned", None, "ar.lead", None),
    ]
    closed = "select code, event, as_of_on::varchar from exception_history where exception_id like '0d6e%' order by 3"
    assert figures(home, closed) == [("PAYOUT-TRANSIT", "seen", "2025-05-30"), ("PAYOUT-TRANSIT", "gone", "2025-06-30")]
    since = "select open_since_on::varchar, escalation from exceptions where code = 'PAY-UNAPPLIED'"
    assert figures(home, since) == [("2025-06-30", "controller")]


def test_dagster_shows_what_blocks_at_each_reconciliation_and_at_the_queue(first: Result, home: Home) -> None:
    with run_module.project_instance() as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["marts", "exceptions"]), "no_exception_blocks")
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        said = record.event.dagster_event.event_specific_data
        assert not said.passed
        assert said.metadata["blocking"].value == 2
        assert said.metadata["waived"].value == 1
        heaviest = said.metadata["heaviest"].records
        assert [r.data["code"] for r in heaviest[:2]] == ["INV-MISSING-ERP", "PAY-SHORT"]


def test_status_says_who_is_late_and_what_is_financially_late_apart(first: Result, home: Home) -> None:
    assert [p.name for p in (home.inbox / "bank").iterdir()] == []
    done = finpipe("status", "--json")
    said = json.loads(done.stdout)
    states = {v["subject"]: v["state"] for v in said["freshness"]}
    assert done.exit_code == 3
    assert states["bank"] == states["figures"] == "late"  # the samples end in June 2025
    assert states["quote_to_cash"] == "financially late"
    assert states["clock"] == states["decisions"] == "in time"
    kinds = {(c["subject"], c["kind"]) for c in said["causes"]}
    assert {("bank", "nothing newer"), ("figures", "not published"), ("quote_to_cash", "milestone late")} <= kinds
    assert "Financially late" in finpipe("status").output


def test_again_loads_nothing_twice_and_says_so(first: Result, home: Home) -> None:
    before = figures(home, "select max(load_seq), count(*) from ledger.loads")
    again = json.loads(finpipe("run", "--as-of", "2025-07-15", "--json").stdout)
    assert (again["files_new"], again["is_new"]) == (0, False)
    assert figures(home, "select max(load_seq), count(*) from ledger.loads") == before
    assert [p.name for p in home.published.iterdir() if p.name.isdecimal()] == ["1"]


def test_something_new_builds_only_what_it_reaches(first: Result, home: Home, tmp_path: Path) -> None:
    """Whether that gives the same as building everything is the next test's question."""
    orders = PROJECT / "sources" / "salesforce" / "sample" / "Opportunity.csv"
    (tmp_path / "Opportunity.csv").write_text(orders.read_text().replace("11400.00", "11500.00"))
    assert finpipe("land", "salesforce", str(tmp_path)).exit_code == 0
    assert finpipe("run", "--as-of", "2025-07-15").exit_code == 3
    asked = {node: said for node, *said in figures(home, "select node, build, message from ledger.build_results")}
    assert asked["model.finpipe.bookings"] == [2, "OK"]
    assert asked["model.finpipe.trial_balance"] == [2, "UNTOUCHED"]  # an opportunity might have brought a new day
    assert asked["model.finpipe.exception_codes"] == [1, "OK"]


def test_landing_gives_the_publication_again(first: Result, home: Home) -> None:
    done = finpipe("rebuild", "--verify", "--json")
    said = json.loads(done.stdout)
    assert [t for t in said["tables"] if not t["same"]] == []
    assert said["digest_published"] == said["digest_rebuilt"]
    assert finpipe("verify").exit_code == 0


def test_a_lost_working_database_changes_nothing(first: Result, home: Home) -> None:
    before = json.loads(finpipe("status", "--json").stdout)["publication"]["digest"]
    home.warehouse.unlink()
    assert finpipe("run", "--as-of", "2025-07-15").exit_code == 3
    assert json.loads(finpipe("status", "--json").stdout)["publication"]["digest"] == before


def test_an_earlier_publication_is_built_again_when_more_has_landed(first: Result, home: Home) -> None:
    said = json.loads((home.published / "1" / "manifest.json").read_text())
    known = ("--as-of", said["as_of"], "--as-known", str(said["load_seq"]))
    assert json.loads(finpipe("build", *known, "--json").stdout)["digest"] == said["digest"]


def test_every_system_has_a_sample() -> None:
    assert {s.parent.name for s in SAMPLES} == set(find_systems(Home(Path(os.devnull))))
