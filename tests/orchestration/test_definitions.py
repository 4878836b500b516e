"""What people see in Dagster, and what loading it may cost."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy
from dagster._core.instance.config import dagster_instance_config

from finpipe.orchestration import specs
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.metadata import shown
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems

KEYS = Path(__file__).with_name("asset_keys.txt")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> BaseAssetGraph:
    home = Home(tmp_path_factory.mktemp("empty") / "home")
    definitions = build_defs(home)
    dg.Definitions.validate_loadable(definitions)
    return definitions.resolve_asset_graph()


def test_every_asset_has_owner_kinds_description_and_group(graph: BaseAssetGraph) -> None:
    poor = [
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not (node := graph.get(key)).owners
        or not node.kinds
        or not node.description
        or not node.is_executable
        or node.group_name not in specs.GROUPS
    ]
    assert poor == []


def test_every_table_shown_has_its_name_and_columns(graph: BaseAssetGraph) -> None:
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        if node.group_name in ("raw", "canonical", "reconciliation", "marts") and key.path[0] != "quarantine":
            assert node.metadata["dagster/table_name"] == ".".join(key.path)
            if key.path[0] != "reference":
                assert node.metadata["dagster/column_schema"].columns, key


def test_every_check_has_a_description(graph: BaseAssetGraph) -> None:
    assert [k for k in graph.asset_check_keys if not graph.get(k).description] == []


def test_no_check_reads_like_code(graph: BaseAssetGraph) -> None:
    """A name is a sentence or a noun of ours, a description ends as sentences do."""
    poor = [
        k.to_user_string()
        for k in graph.asset_check_keys
        if not (said := graph.get(k).description or "").endswith(".") or said.startswith("grain") or "ref(" in said
    ]
    assert poor == []


def test_every_raw_mart_and_published_asset_says_when_it_is_late(graph: BaseAssetGraph) -> None:
    late = ("landing", "raw", "canonical", "reconciliation", "marts", "published")
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        is_asked_for = key == specs.RESTATED or "decisions" in key.path[0] or key.path[-1] == "decisions"
        if node.group_name in late and not is_asked_for:
            assert isinstance(node.freshness_policy, TimeWindowFreshnessPolicy | CronFreshnessPolicy), key


def test_a_system_is_late_when_it_says_and_figures_with_the_tightest(tmp_path: Path) -> None:
    said = {
        "early": 'cadence = "daily"\nby = "05:30"\n',
        "monthly": 'cadence = "monthly"\nworking_day = 3\n',
        "silent": 'cadence = "none"\n',
        "gulf": 'cadence = "daily"\nby = "08:00"\ncalendar = "gulf"\n',
    }
    for name, due in said.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "system.toml").write_text(f'role = "crm"\n[due]\n{due}[tables.t]\ncolumns = ["id"]\n')
    home = Home(tmp_path / "home", tmp_path)
    home.root.mkdir()
    gulf = '[calendars.gulf]\ntimezone = "Asia/Dubai"\nweekend = [5, 6]\n'
    (home.root / "policies.toml").write_text(gulf)
    graph = build_defs(home).resolve_asset_graph()

    def policy(*path: str) -> object:
        return graph.get(dg.AssetKey(path)).freshness_policy

    def cron(*path: str) -> tuple[str, str]:
        found = policy(*path)
        assert isinstance(found, CronFreshnessPolicy)
        return found.deadline_cron, found.timezone

    assert cron("raw_early", "t") == cron("landing", "early") == ("30 5 * * 1,2,3,4,5", "UTC")
    assert cron("landing", "gulf") == ("0 8 * * 1,2,3,4,0", "Asia/Dubai")
    assert policy("raw_silent", "t") is None
    monthly = policy("raw_monthly", "t")
    assert isinstance(monthly, TimeWindowFreshnessPolicy)
    assert monthly.fail_window.to_timedelta() == timedelta(days=41)
    assert cron("marts", "billings") == cron("published", "finance") == cron("landing", "early")


def test_a_system_that_was_replaced_is_never_late(tmp_path: Path) -> None:
    (tmp_path / "finpipe.toml").write_text('[systems.netsuite_2]\nlike = "netsuite"\nreplaces = "netsuite"\n')
    graph = build_defs(Home(tmp_path)).resolve_asset_graph()
    policies = {n: graph.get(dg.AssetKey(["landing", n])).freshness_policy for n in ("netsuite", "netsuite_2")}
    assert policies["netsuite"] is None
    assert policies["netsuite_2"] is not None


def test_data_flows_one_way(graph: BaseAssetGraph) -> None:
    stages = [
        "landing",
        "raw",
        "ledger",
        "canonical",
        "staging",
        "intermediate",
        "reconciliation",
        "marts",
        "published",
    ]
    one_stage = {"intermediate": 5, "reconciliation": 5, "marts": 5}
    rank = {name: one_stage.get(name, i) for i, name in enumerate(stages)} | {"published": 9, "ledger": 3}
    wrong = [
        f"{parent.to_user_string()} → {key.to_user_string()}"
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
        if rank[graph.get(parent).group_name] > rank[graph.get(key).group_name]
    ]
    assert wrong == []


def test_the_line_is_unbroken_from_landing_to_published(graph: BaseAssetGraph) -> None:
    upstream = graph.get_ancestor_asset_keys(specs.PUBLISHED)
    for name in find_systems(Home(PROJECT / "nowhere")):
        assert dg.AssetKey(["landing", name]) in upstream


def test_asset_keys_are_those_agreed(graph: BaseAssetGraph) -> None:
    """Renaming an asset loses its history in every instance, so it must be meant."""
    found = "\n".join(sorted(k.to_user_string() for k in graph.get_all_asset_keys())) + "\n"
    if os.environ.get("FINPIPE_UPDATE_SNAPSHOTS"):
        KEYS.write_text(found)
    assert found == KEYS.read_text(), "if it is meant: FINPIPE_UPDATE_SNAPSHOTS=1 pytest tests/orchestration"


def test_jobs_are_verbs_and_the_schedule_is_off(tmp_path: Path) -> None:
    repository = build_defs(Home(tmp_path)).get_repository_def()
    names = {job.name for job in repository.get_all_jobs()}
    assert {"run_pipeline", "load_extracts", "build_marts", "publish_snapshot"} <= names
    assert {sensor.name for sensor in repository.sensor_defs} == {"new_extracts", "freshness"}
    assert [s.default_status for s in repository.schedule_defs] == [dg.DefaultScheduleStatus.STOPPED]


def test_no_job_runs_the_checks_that_a_sensor_records(tmp_path: Path) -> None:
    definitions = build_defs(Home(tmp_path))
    for job in ("run_pipeline", "load_extracts", "build_marts", "publish_snapshot"):
        assert "judge_freshness" not in [node.name for node in definitions.resolve_job_def(job).nodes]


def test_a_broken_mart_cannot_stop_loads(tmp_path: Path) -> None:
    job = build_defs(Home(tmp_path)).resolve_job_def("load_extracts")
    assert [node.name for node in job.nodes] == ["load"]


def test_loading_writes_nothing_and_asks_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    home = Home(tmp_path / "home")
    build_defs(home).resolve_asset_graph()
    assert list(tmp_path.iterdir()) == []


def test_loading_imports_no_dbt(tmp_path: Path) -> None:
    code = (
        "import sys; import finpipe.definitions; "
        "print([m for m in ('dbt', 'dagster_dbt', 'dlt', 'pandas') if m in sys.modules])"
    )
    environment = {**os.environ, "FINPIPE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(PROJECT)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert said.stdout.strip() == "[]"
    assert "Warning" not in said.stderr  # nothing of Dagster that may change with a patch version
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("value", "text"),
    [("1423.5200", "1,423.52"), ("0.0000", "0.00"), ("1234567", "1,234,567"), ("-0.1250", "-0.125")],
)
def test_amounts_are_shown_as_people_write_them(value: str, text: str) -> None:
    assert shown(Decimal(value)) == text


def test_definitions_are_forty_lines_at_most() -> None:
    assert len((PROJECT / "finpipe" / "definitions.py").read_text().splitlines()) <= 40


def test_the_instance_keeps_to_the_project() -> None:
    said, _ = dagster_instance_config(str(PROJECT))
    assert said["telemetry"] == {"enabled": False}
    assert said["nux"] == {"enabled": False}
    assert said["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    kept = ("run_storage", "event_log_storage", "schedule_storage", "local_artifact_storage", "compute_logs")
    assert all(said[name]["config"]["base_dir"].startswith(".finpipe/dagster/") for name in kept)
