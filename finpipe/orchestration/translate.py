"""dbt's nodes and results as Dagster shows them: dagster-dbt, with our keys, groups, owners, words and check names.

Belongs here: the one translator, and what a build's results become.
Does not belong here: definitions (``specs`` makes them from the kept manifest) and running dbt (``finpipe.build``).

dagster-dbt imports dbt, which costs four CPU seconds.  So this module is imported by the step that has just run dbt,
where it costs half of one, and never when definitions load; a test proves that both give the same assets.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from finpipe.build import Check, Manifest, Model
from finpipe.orchestration import specs

Props = Mapping[str, Any]


class Translator(DagsterDbtTranslator):  # type: ignore[misc]
    """How dbt's models, seeds, sources and tests are called and placed; checks by dbt's unique id."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        """Take the names of checks: dbt's own end in hashes."""
        super().__init__()
        self.checks = checks

    def get_asset_key(self, dbt_resource_props: Props) -> dg.AssetKey:
        """``schema/table``, the same for a model, a seed and a source."""
        return specs.key(_table(dbt_resource_props))

    def get_group_name(self, dbt_resource_props: Props) -> str:
        """The stage."""
        return specs.stage(str(dbt_resource_props["schema"]))

    def get_owners(self, dbt_resource_props: Props) -> list[str]:
        """Who the model names in its meta, else the stage's owner."""
        return specs.owners(str(dbt_resource_props["schema"]), dbt_resource_props["config"].get("meta") or {})

    def get_description(self, dbt_resource_props: Props) -> str:
        """The model's own words, without the SQL that dagster-dbt would add: the code is a link away."""
        return " ".join(str(dbt_resource_props["description"]).split())

    def get_metadata(self, dbt_resource_props: Props) -> dict[str, Any]:
        """Name and columns of the table."""
        columns = [
            (c["name"], c.get("data_type") or "", " ".join(c["description"].split()))
            for c in dbt_resource_props["columns"].values()
        ]
        return specs.shape(_table(dbt_resource_props), columns)

    def get_code_version(self, dbt_resource_props: Props) -> str | None:  # noqa: ARG002 - dagster-dbt's signature
        """None: the fingerprint of all code stands in ``ledger.builds``, and with each publication."""
        return None

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Props,  # noqa: ARG002 - the signature is dagster-dbt's
        unique_id: str,
        project: DbtProject | None,  # noqa: ARG002
    ) -> dg.AssetCheckSpec | None:
        """A test as a check of the one table that it speaks of."""
        check = self.checks.get(unique_id)
        return specs.check(check) if check and specs.key(check.table) == asset_spec.key else None


def translated(
    manifest: Manifest, results: Iterable[dict[str, Any]]
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """What dagster-dbt's own event class makes of dbt's results, for each node that is shown."""
    shown, translator = as_dbt_writes(manifest), Translator(manifest.checks)
    for result in results:
        if result["data"]["node_info"]["unique_id"] in shown["nodes"]:
            for event in DbtCoreCliEventMessage(result, {}).to_default_asset_events(shown, translator):
                if isinstance(event, dg.AssetMaterialization | dg.AssetCheckEvaluation):
                    yield event


def as_dbt_writes(manifest: Manifest) -> dict[str, Any]:
    """The kept manifest in the shape of dbt's, with our names for its tests and the tables they are shown at."""
    ids = {m.table: m.unique_id for m in manifest.models.values()}
    ids |= {table: f"source.finpipe.{table}" for table in manifest.inputs}
    return {
        "metadata": {"adapter_type": "duckdb"},
        "groups": {},
        "nodes": {
            **{m.unique_id: _node(m, ids) for m in manifest.models.values()},
            **{c.unique_id: _test(c, ids[c.table]) for c in manifest.checks.values()},
        },
        "sources": {ids[t]: _source(t, ids[t]) for t in manifest.inputs},
    }


def _node(model: Model, ids: Mapping[str, str]) -> dict[str, Any]:
    return {
        "unique_id": model.unique_id,
        "resource_type": model.unique_id.split(".")[0],
        "schema": model.schema,
        "name": model.name,
        "description": model.about,
        "columns": {c["name"]: {**c, "data_type": c["type"], "description": c["about"]} for c in model.columns},
        "config": {"materialized": model.kind, "meta": model.meta},
        "depends_on": {"nodes": [ids[t] for t in model.reads]},
        "original_file_path": model.path,
    }


def _source(table: str, unique_id: str) -> dict[str, Any]:
    schema, name = table.split(".")
    words = {"description": "", "columns": {}, "config": {}}
    return {"unique_id": unique_id, "resource_type": "source", "schema": schema, "name": name, **words}


def _test(check: Check, owner: str) -> dict[str, Any]:
    return {
        "unique_id": check.unique_id,
        "resource_type": "test",
        "name": check.name,
        "attached_node": owner,
        "depends_on": {"nodes": [owner]},
        "config": {},
    }


def _table(props: Props) -> str:
    return f"{props['schema']}.{props.get('alias') or props.get('identifier') or props['name']}"
