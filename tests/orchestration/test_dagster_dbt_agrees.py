"""What Dagster shows of dbt is what dagster-dbt shows of it: of assets, of checks and of results."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import default_asset_check_fn

from finpipe.build import kept
from finpipe.build.keep import full
from finpipe.orchestration.build import EXPLAINED, build_assets
from finpipe.orchestration.exceptions import UNBLOCKED
from finpipe.orchestration.translate import Translator, as_dbt_writes, translated

Named = dict[dg.AssetKey, dg.AssetSpec]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """dbt's own manifest, whole."""
    return full(tmp_path_factory.mktemp("dbt"))


@pytest.fixture(scope="module")
def theirs(manifest: dict[str, Any]) -> dg.AssetsDefinition:
    """The project as dagster-dbt loads it."""

    @dbt_assets(manifest=manifest, dagster_dbt_translator=Translator(kept().checks))
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        yield from ()

    return models


@pytest.fixture(scope="module")
def ours() -> dg.AssetsDefinition:
    return build_assets(kept())


def by_key(assets: dg.AssetsDefinition) -> Named:
    return {spec.key: spec for spec in assets.specs}


def test_assets_agree(ours: dg.AssetsDefinition, theirs: dg.AssetsDefinition) -> None:
    our_specs, their_specs = by_key(ours), by_key(theirs)
    assert our_specs.keys() == their_specs.keys()
    for key, spec in our_specs.items():
        other = their_specs[key]
        assert {d.asset_key for d in spec.deps} == {d.asset_key for d in other.deps}, key
        assert (spec.group_name, spec.owners) == (other.group_name, other.owners), key
        assert spec.description == (other.description or spec.description), key
        assert spec.kinds >= other.kinds, key
        for fact in ("dagster/table_name", "dagster/column_schema"):
            assert spec.metadata[fact] == other.metadata[fact], key


def test_checks_agree(ours: dg.AssetsDefinition, theirs: dg.AssetsDefinition) -> None:
    made = [c for c in ours.check_specs if c.name == UNBLOCKED or (c.name == EXPLAINED and "rec_" in str(c.asset_key))]
    our_checks = {c.key: c for c in ours.check_specs if c not in made}
    their_checks = {c.key: c for c in theirs.check_specs}
    assert our_checks == their_checks
    assert len(our_checks) == len(kept().checks) > 100


def test_each_check_stands_where_dagster_dbt_would_put_it(manifest: dict[str, Any]) -> None:
    """By its own rules, which know no place for a test over several tables."""
    default, checks = Translator(kept().checks), kept().checks
    placed = 0
    for unique_id, check in checks.items():
        key = dg.AssetKey(check.table.split("."))
        said = default_asset_check_fn(manifest, default, key, unique_id, None)
        node = manifest["nodes"][unique_id]
        if said is None:
            assert not node.get("attached_node"), unique_id
            assert len(node["depends_on"]["nodes"]) > 1, unique_id
        else:
            placed += 1
            assert said.blocking == check.blocks, unique_id
            others = {d.asset_key for d in said.additional_deps}
            assert others == {dg.AssetKey(t.split(".")) for t in check.reads}, unique_id
    assert placed > 90


def test_the_kept_manifest_reads_as_dbts_own() -> None:
    """Whoever gives it to dagster-dbt gets our keys, with nothing of dbt's parsed."""
    shown, translator = as_dbt_writes(kept()), Translator(kept().checks)
    for model in kept().models.values():
        spec = translator.get_asset_spec(shown, model.unique_id, None)
        assert spec.key.path == model.table.split(".")
        assert {".".join(d.asset_key.path) for d in spec.deps} == set(model.reads)


@pytest.mark.parametrize(
    ("status", "passed", "severity"),
    [("pass", True, "ERROR"), ("warn", False, "WARN"), ("fail", False, "ERROR"), ("error", False, "ERROR")],
)
def test_results_of_tests_become_checks(status: str, passed: bool, severity: str) -> None:
    check = next(iter(kept().checks.values()))
    (event,) = translated(kept(), [result("LogTestResult", check.unique_id, status, num_failures=3)])
    assert isinstance(event, dg.AssetCheckEvaluation)
    assert (".".join(event.asset_key.path), event.check_name) == (check.table, check.name)
    assert (event.passed, event.severity.name) == (passed, severity)
    assert event.metadata["dagster_dbt/failed_row_count"].value == 3


def test_results_of_models_become_materialisations() -> None:
    model = next(m for m in kept().models.values() if m.schema == "marts" and m.kind == "table")
    (event,) = translated(kept(), [result("LogModelResult", model.unique_id, "success")])
    assert isinstance(event, dg.AssetMaterialization)
    assert ".".join(event.asset_key.path) == model.table
    assert event.metadata["Execution Duration"].value == 1.5


def test_what_did_not_run_or_is_not_shown_becomes_nothing() -> None:
    model, check = next(iter(kept().models)), next(iter(kept().checks))
    nothing = [
        result("LogModelResult", model, "error"),
        result("LogTestResult", check, "skipped"),
        result("LogTestResult", "test.finpipe.of_a_source", "pass"),
        result("NodeFinished", model, "success"),
    ]
    assert list(translated(kept(), nothing)) == []


def result(kind: str, unique_id: str, status: str, **data: Any) -> dict[str, Any]:
    """A result as dbt's structured log writes it."""
    times = {"node_started_at": "2025-07-15T10:00:00", "node_finished_at": "2025-07-15T10:00:01.5"}
    node = {"unique_id": unique_id, "node_status": status, "materialized": "table", **times}
    return {"info": {"name": kind, "invocation_id": "i", "msg": ""}, "data": {"node_info": node, **data}}
