"""Making ``dbt_project/manifest.json`` from dbt's own manifest: ``make manifest``.

Belongs here: what is kept of dbt's manifest, and column lineage read from the compiled SQL.
Does not belong here: reading the kept file (``manifest``).
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from finpipe.build import sentences
from finpipe.build.dbt import invoke
from finpipe.build.manifest import KEPT
from finpipe.policy import policy_of
from finpipe.settings import Home

_STAGES = ("reconciliation", "marts", "intermediate", "staging")


def render(before: dict[str, Any] | None = None) -> str:
    """The text that ``dbt_project/manifest.json`` should have.

    Lineage costs most: that of a model whose SQL and inputs are as in ``before`` is taken from there.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _one_line_each(trimmed(full(Path(folder)), before or {}))


def full(scratch: Path) -> dict[str, Any]:
    """dbt's own manifest of the project, compiled in an empty folder."""
    invoke(
        ["compile", "--no-populate-cache"],
        warehouse=scratch / "nothing.duckdb",
        scratch=scratch,
        # Any date and any company serve: lineage depends on neither.
        variables=json.dumps({"as_of": "2000-01-01", **policy_of(Home(scratch)).tolerances}),
    )
    said: dict[str, Any] = json.loads((scratch / "target" / "manifest.json").read_text(encoding="utf-8"))
    return said


def _one_line_each(said: dict[str, Any]) -> str:
    """JSON with one line for each model and check, so that a change shows where it is."""
    parts = (
        f'"{name}": [\n' + ",\n".join(json.dumps(node, ensure_ascii=False) for node in nodes) + "\n]"
        for name, nodes in said.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def trimmed(whole: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """What the pipeline needs to know of dbt's manifest; nothing in it depends on the machine or the day."""
    nodes = {i: n for i, n in whole["nodes"].items() if n["resource_type"] in ("model", "seed")}
    tables = {i: _table(n) for i, n in {**nodes, **whole["sources"]}.items()}
    models = [_model(n, tables) for _, n in sorted(nodes.items())]
    _add_lineage(models, whole, {m["table"]: m for m in before.get("models", ())})
    return {"models": models, "checks": _checks(whole, tables)}


def _table(node: dict[str, Any]) -> str:
    return f"{node['schema']}.{node.get('alias') or node.get('identifier') or node['name']}"


def _model(node: dict[str, Any], tables: dict[str, str]) -> dict[str, Any]:
    return {
        "unique_id": node["unique_id"],
        "table": _table(node),
        "kind": "seed" if node["resource_type"] == "seed" else node["config"]["materialized"],
        "path": node["original_file_path"],
        "about": " ".join(node["description"].split()),
        "columns": [
            {"name": c["name"], "type": c.get("data_type") or "", "about": " ".join(c["description"].split())}
            for c in node["columns"].values()
        ],
        "reads": sorted({tables[i] for i in node.get("depends_on", {}).get("nodes", ()) if i in tables}),
        "meta": node["config"].get("meta") or {},
    }


def _checks(whole: dict[str, Any], tables: dict[str, str]) -> list[dict[str, Any]]:
    """Data tests of models; each belongs to one table and has a name that is new to it."""
    checks: list[dict[str, Any]] = []
    taken: set[tuple[str, str]] = set()
    for unique_id, node in sorted(whole["nodes"].items()):
        if node["resource_type"] != "test":
            continue
        reads = [tables[i] for i in node["depends_on"]["nodes"] if i in tables]
        if not reads:  # it speaks of no table, so it cannot be shown at one; the build still fails with it
            continue
        table = _owner(node, reads, tables)
        name = sentences.name(node, table)
        while (table, name) in taken:
            name += "_too"
        taken.add((table, name))
        checks.append(
            {
                "unique_id": unique_id,
                "table": table,
                "name": name,
                "about": sentences.description(node),
                "blocks": node["config"]["severity"].lower() == "error",
                "reads": sorted(set(reads) - {table}),
            }
        )
    return checks


def _owner(node: dict[str, Any], reads: list[str], tables: dict[str, str]) -> str:
    """The table a test speaks of: the one it is written at, or the last in the flow that it reads."""
    meta = node["config"].get("meta") or {}
    if "table" in meta:
        return str(meta["table"])
    if attached := node.get("attached_node"):
        return tables[attached]
    rank = {stage: i for i, stage in enumerate(_STAGES)}
    return min(reads, key=lambda t: (rank.get(t.split(".")[0], 9), reads.index(t)))


def _add_lineage(models: list[dict[str, Any]], whole: dict[str, Any], before: dict[str, dict[str, Any]]) -> None:
    """Column lineage of each model, inputs first: the columns of one are those that its SQL gives."""
    known = {_table(n): list(n["columns"]) for n in whole["sources"].values()} | _canonical_columns()
    waiting = {m["table"]: m for m in models}
    while waiting:
        for model in [m for m in waiting.values() if not set(m["reads"]) & set(waiting)]:
            del waiting[model["table"]]
            code = whole["nodes"][model["unique_id"]].get("compiled_code") or ""
            inputs = {t: known[t] for t in model["reads"]}
            model["sql"] = hashlib.sha256(repr((code, sorted(inputs.items()))).encode()).hexdigest()[:12]
            old = before.get(model["table"])
            if old and old.get("sql") == model["sql"]:
                model["gives"], model["lineage"] = old["gives"], old["lineage"]
            else:
                model["gives"], model["lineage"] = _lineage(model["table"], code, inputs) if code else ([], {})
            known[model["table"]] = model["gives"] or [c["name"] for c in model["columns"]]


def _canonical_columns() -> dict[str, list[str]]:
    from finpipe.contracts import columns, entities  # noqa: PLC0415 - only this command needs it

    return {f"canonical.{n}": [c.name for c in columns(e)] for n, e in entities().items()}


def _lineage(made: str, code: str, inputs: dict[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """Columns that a query gives, and each one's ``schema.table.column``s.

    A query that sqlglot does not understand has none, and we say so.
    """
    from sqlglot import errors, exp, lineage, parse_one, schema  # noqa: PLC0415 - only this command needs it
    from sqlglot.optimizer import qualify, scope  # noqa: PLC0415

    tables: dict[str, Any] = {}
    for table, columns in inputs.items():
        folder, name = table.split(".")
        tables.setdefault(folder, {})[name] = dict.fromkeys(columns, "unknown")
    try:
        query = parse_one(code, dialect="duckdb")
        for named in query.find_all(exp.Table):
            named.set("catalog", None)
        mapping = schema.MappingSchema(tables, dialect="duckdb")
        qualified = qualify.qualify(query, dialect="duckdb", schema=mapping, quote_identifiers=False)
        root = scope.build_scope(qualified)
        given = list(qualified.named_selects)  # type: ignore[attr-defined]
        trees = lineage.lineage(None, qualified, {}, dialect="duckdb", scope=root)
        found = {column: _leaves(tree) for column, tree in trees.items()}
    except (errors.SqlglotError, ValueError, AttributeError) as problem:
        sys.stderr.write(f"no column lineage of {made}: {str(problem).splitlines()[0]}\n")
        return [], {}
    return given, {column: leaves for column, leaves in found.items() if leaves}


def _leaves(tree: Any) -> list[str]:
    """Columns of tables at the ends of a lineage."""
    return sorted(
        {
            f"{node.expression.db}.{node.expression.name}.{node.name.split('.')[-1]}"
            for node in tree.walk()
            if getattr(node.expression, "db", "")
        }
    )


def main() -> None:
    """Write the file, if it changed."""
    there = KEPT.read_text(encoding="utf-8") if KEPT.exists() else ""
    text = render(json.loads(there) if there else None)
    if text != there:
        KEPT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
