"""What an engineer without finpipe would type: the same files, the mappings and dbt's compiled SQL, as one script.

Belongs here: writing that script (not measured); ``worker`` runs it (measured).
No ledger, no hashes, no gate, no newest-row logic, no comments: a typed cast stands where finpipe validates.
"""

import csv
from pathlib import Path
from typing import Any

import duckdb

from finpipe.build import kept
from finpipe.conform import macros
from finpipe.conform.schema import ddl
from finpipe.contracts import Column, columns, entities, own_columns
from finpipe.ingest import raw
from finpipe.ingest.extract import found_columns, one_of
from finpipe.ingest.json_paths import extraction, json_path, path_list
from finpipe.ingest.landing import Manifest, manifests
from finpipe.ingest.names import squash
from finpipe.settings import PROJECT, Home
from finpipe.systems import System, Table, find_systems
from finpipe.warehouse import SCHEMAS, literal, quoted
from tools.bench.others.tables import loaded_tables

#: Phases of the script and their statements.
Script = dict[str, list[str]]
#: By system and table: the statements that give its rows.
Origins = dict[tuple[str, str], list[str]]
_BOOKS = ("ledger", "matching", "quarantine", "reference")


class _Recorder:
    """Stands for a connection and keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def execute(self, sql: str) -> None:
        self.said.append(sql)


def native(home: Home) -> list[tuple[int, str]]:
    """For every landed file: its number, and the plain statement that reads it."""
    return [(m.order, f"create table n{m.order} as select * from {_scan(m, home)}") for m in manifests(home)]


def _scan(landed: Manifest, home: Home) -> str:
    path = literal(landed.path(home))
    if landed.file.endswith(".csv"):
        return f"read_csv({path}, all_varchar = true, header = true)"
    return f"read_json_objects({path}, format = 'newline_delimited')"


def script(home: Home, model: Path) -> Script:
    """The whole line by hand; ``model`` is a home where finpipe has run over the same files."""
    systems = find_systems(home)
    return {
        "read": _schemas() + _latest(systems, _landed(home, systems), "table"),
        **_built(home, systems, model),
    }


def script_over(home: Home, model: Path, loaded: Path) -> Script:
    """The same over a database into which somebody else loaded the tables, whatever their types."""
    systems = find_systems(home)
    attached = f"attach {literal(loaded)} as loaded (read_only)"
    return {
        "read": [*_schemas(), attached, *_latest(systems, _loaded(systems, attached), "view")],
        **_built(home, systems, model),
    }


def _schemas() -> list[str]:
    return [f"create schema if not exists {s}" for s in SCHEMAS]


def _built(home: Home, systems: dict[str, System], model: Path) -> Script:
    return {
        "map": _canonical(home, systems) + _books(model / "warehouse.duckdb"),
        "models": _models(model / "dbt" / "target" / "compiled" / "finpipe"),
        "tests": [_plain(p) for p in sorted((model / "dbt/target/compiled/finpipe").rglob("*.sql")) if _is_test(p)],
    }


def _landed(home: Home, systems: dict[str, System]) -> Origins:
    """Each table of each system out of its files, as text."""
    origins: Origins = {}
    for landed in manifests(home):
        system = systems[landed.system]
        table = system.tables[landed.table]
        read = _from_csv if landed.file.endswith(".csv") else _from_json
        for name, select in read(home, landed, system, table):
            origins.setdefault((system.name, name), []).append(select)
    return origins


def _loaded(systems: dict[str, System], attached: str) -> Origins:
    """Each table as another tool loaded it, as text again: instants as the files write them."""
    origins: Origins = {}
    with duckdb.connect() as connection:
        connection.execute(attached)
        there = loaded_tables(connection)
        for system in systems.values():
            for table in system.tables.values():
                relation = there.get(squash(f"{system.name}__{table.name}"))
                if relation:
                    types = {r[0]: r[1] for r in connection.execute(f"describe {relation}").fetchall()}
                    found = found_columns(table, list(types)).items()
                    values = {c: one_of([_text(n, types[n]) for n in hits]) for c, hits in found}
                    origins[system.name, table.name] = [_select(table, values, 1, relation)]
    return origins


def _text(name: str, loaded_type: str) -> str:
    if loaded_type.startswith("TIMESTAMP"):
        return f"strftime({quoted(name)}::timestamptz, '%Y-%m-%dT%H:%M:%SZ')"
    return f"nullif({quoted(name)}::varchar, '')"


def _latest(systems: dict[str, System], origins: Origins, kind: str) -> list[str]:
    made = []
    for system in systems.values():
        made.append(f"create schema latest_{system.name}")
        for table in system.tables.values():
            given = origins.get((system.name, table.name), [_nothing(table)])
            made.append(f"create {kind} latest_{system.name}.{quoted(table.name)} as {_facts(system, table, given)}")
    return made


def _facts(system: System, table: Table, selects: list[str]) -> str:
    """The few facts that mappings use beside the columns: key, version, deleted."""
    # Facts of raw tables are finpipe's own words: the mappings ask for them, so the hand-written line has them too.
    key = raw._key(table, keyless=False) if table.key else "cast(_load_seq || '#' || _row as varchar)"
    facts = f"{key} as _key, {raw._version(system, table)} as _version, {raw._deleted(table)} as _deleted"
    return f"select *, {facts} from ({' union all '.join(selects)})"


def _nothing(table: Table) -> str:
    texts = ", ".join(f"null::varchar as {quoted(c)}" for c in table.column_names)
    return f"select {texts}, 0::bigint as _load_seq, 0::bigint as _row where false"


def _select(table: Table, values: dict[str, str], order: int, relation: str) -> str:
    texts = ", ".join(f"{values.get(c, 'null')}::varchar as {quoted(c)}" for c in table.column_names)
    return f"select {texts}, {order}::bigint as _load_seq, row_number() over () as _row from {relation}"


def _from_csv(home: Home, landed: Manifest, _: System, table: Table) -> list[tuple[str, str]]:
    with landed.path(home).open(newline="", encoding="utf-8-sig") as file:
        names = next(csv.reader(file))
    values = {c: one_of([quoted(n) for n in hits]) for c, hits in found_columns(table, names).items()}
    return [(table.name, _select(table, values, landed.order, _scan(landed, home)))]


def _from_json(home: Home, landed: Manifest, system: System, table: Table) -> list[tuple[str, str]]:
    scan = _scan(landed, home)
    keys = _members(f"select distinct json_keys(json) from {scan}")
    found = extraction(table, keys, None)
    relation = f"(select json_extract_string(json, {path_list(found.own)}) as v from {scan})"
    selects = [(table.name, _select(table, found.values, landed.order, relation))]
    for other in system.tables.values():
        for place in other.embedded:
            parent, _, path = place.partition(".")
            if parent == table.name and path.split(".")[0] in keys:
                selects += _embedded(other, path, landed, scan, keys)
    return selects


def _embedded(table: Table, path: str, landed: Manifest, scan: str, parents: list[str]) -> list[tuple[str, str]]:
    items = f"json_extract(json, {literal(json_path(path.split('.')) + '[*]')})"
    keys = _members(f"select distinct json_keys(json) from (select unnest({items}) as json from {scan})")
    if not keys:
        return []
    found = extraction(table, keys, parents)
    parent = f"json_extract_string(json, {path_list(found.parent)}::varchar[])" if found.parent else "null"
    relation = (
        f"(select json_extract_string(json, {path_list(found.own)}) as v, position, p from (select unnest(items) "
        f"as json, generate_subscripts(items, 1) as position, p from (select {items} as items, {parent} as p "
        f"from {scan})))"
    )
    return [(table.name, _select(table, found.values, landed.order, relation))]


def _members(sql: str) -> list[str]:
    with duckdb.connect() as connection:
        return sorted({key for (keys,) in connection.execute(sql).fetchall() for key in keys or ()})


def _canonical(home: Home, systems: dict[str, System]) -> list[str]:
    """Every mapping into its typed table."""
    made = [ddl(name, entity) for name, entity in entities().items()]
    for system in systems.values():
        recorder: Any = _Recorder()
        macros.define(recorder, system, home.config)
        made += [*recorder.said, f"set search_path = 'latest_{system.name}'"]
        made += [f"create temp table {quoted(n)} as {_plain(p)}" for n, p in system.shared.items()]
        made += [_mapped(system, name, path) for name, path in system.mappings.items()]
        made += [f"drop table temp.{quoted(n)}" for n in system.shared]
    return [*made, "set search_path = main"]


def _mapped(system: System, name: str, path: Path) -> str:
    own = {c.name: c for c in own_columns(entities()[name])}
    given = _plain(path)
    filled = {
        "system": literal(system.name),
        "source_id": "''",
        "recorded_at": "timestamptz '2025-01-01 00:00:00+00'",
        "row_hash": "''",
        "contract_version": "''",
        "is_deleted": "coalesce(is_deleted, false)",
    }
    values = ", ".join(f"{filled.get(c.name) or _cast(c)} as {c.name}" for c in columns(entities()[name]))
    if missing := [n for n in own if n not in given]:
        given = f"select *, {', '.join(f'null::varchar as {n}' for n in missing)} from ({given})"
    return f"insert into canonical.{name} by name select {values} from ({given}) as mapping"


def _cast(column: Column) -> str:
    return f"cast(nullif(cast({column.name} as varchar), '') as {column.sql_type})"


def _books(warehouse: Path) -> list[str]:
    """Empty tables that models read and only finpipe fills; its list of currencies; dbt's seeds."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            f"select schema_name, table_name from duckdb_tables() where schema_name in {_BOOKS} order by all"
        ).fetchall()
        made = []
        for schema, table in tables:
            name = f"{schema}.{quoted(table)}"
            fields = ", ".join(f"{quoted(r[0])} {r[1]}" for r in connection.execute(f"describe {name}").fetchall())
            made.append(f"create table {name} ({fields})")
        units = connection.execute("select code, minor_units from reference.currencies").fetchall()
    listed = ", ".join(f"({literal(code)}, {number})" for code, number in units)
    made.append(f"insert into reference.currencies (code, minor_units) values {listed}")
    return made


def _models(compiled: Path) -> list[str]:
    made = []
    for model in kept().in_order:
        if model.kind == "seed":
            source = f"read_csv({literal(PROJECT / 'dbt_project' / model.path)}, header = true)"
            made.append(f"create table {model.table} as from {source}")
        else:
            made.append(f"create {model.kind} {model.table} as {_plain(compiled / model.path)}")
    return made


def _is_test(path: Path) -> bool:
    """Compiled tests lie in a folder of their yml's name, or in ``tests``."""
    return path.parent.name.endswith(".yml") or "tests" in path.parts


def _plain(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip().rstrip(";") + "\n"
