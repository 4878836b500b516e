"""Fixes: what people decided should stand in a cell, laid over the mapped rows before the gate.

Belongs here: which fix holds, laying it over, and the account of every fix in ``quarantine.fixes``.
Does not belong here: who may decide (the decision's own checks) and raw data, which nothing ever changes.

A fix is made for a value.  Where the source has sent another one since, the source is believed and the fix waits.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from finpipe.contracts import Canonical, entities, key_of, own_columns
from finpipe.systems import System
from finpipe.warehouse import literal, quoted

TABLE = """
create table if not exists quarantine.fixes (
    decision_id varchar, system varchar, entity varchar, row_key varchar, column_name varchar, was varchar,
    becomes varchar, verdict varchar, why varchar
)"""
APPLIED, WAITS = "applied", "not applied"
_NO_ROW = "no system gives a row of this key"


@dataclass(frozen=True)
class Fix:
    """What one decision says of one cell."""

    decision_id: str
    entity: str
    row_key: str
    column: str
    was: str | None
    becomes: str | None
    #: Why it cannot hold; empty when it may.
    why: str = ""


def decided(connection: duckdb.DuckDBPyConnection) -> list[Fix]:
    """Every fix that was decided, in the order of decisions; of several about one cell only the last may hold."""
    found: list[Fix] = []
    for decision_id, payload in connection.execute(
        "select decision_id, payload from canonical.decisions where kind = 'fix' and not is_deleted "
        "order by decided_at, decision_id"
    ).fetchall():
        found += _read(decision_id, payload)
    last = {(f.entity, f.row_key, f.column): f.decision_id for f in found}
    replaced = "a later fix of the same cell stands"
    return [
        f if f.why or last[f.entity, f.row_key, f.column] == f.decision_id else _refused(f, replaced) for f in found
    ]


def _refused(fix: Fix, why: str) -> Fix:
    return Fix(fix.decision_id, fix.entity, fix.row_key, fix.column, fix.was, fix.becomes, why)


def _read(decision_id: str, payload: str | None) -> Iterable[Fix]:
    """The cells of one decision: ``{"entity": …, "row_key": …, "was": {column: text}, "set": {column: text}}``."""
    try:
        said = json.loads(payload or "")
        cells, was = dict(said["set"]), dict(said.get("was") or {})
        entity, row_key = str(said["entity"]), str(said["row_key"])
    except (ValueError, KeyError, TypeError):
        yield Fix(decision_id, "", "", "", None, None, "it names no entity, row_key and columns to set")
        return
    known = {c.name for c in own_columns(entities()[entity])} if entity in entities() else set()
    known -= {key_of(entities()[entity])} if known else set()
    for column, becomes in sorted(cells.items()):
        why = "" if column in known else f"{entity} has no column {column} that can be fixed"
        yield Fix(decision_id, entity, row_key, column, _text(was.get(column)), _text(becomes), why)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def restart(connection: duckdb.DuckDBPyConnection, fixes: list[Fix], names: list[str], worked_on: str) -> None:
    """Begin the account anew for the entities that are worked on; each fix stands as not applied until it is.

    ``worked_on`` says in SQL which systems' rows are made anew; fixes of others' rows stand as they are.
    """
    connection.execute("create or replace temp table fixing as select * from quarantine.fixes limit 0")
    # Those of entities that there are not follow no entity: they are told every time.
    kept = ", ".join(literal(n) for n in entities() if n not in names) or "''"
    connection.execute(f"delete from quarantine.fixes where entity not in ({kept}) and {worked_on}")
    cells = "select decision_id, entity, row_key, column_name from quarantine.fixes"
    standing = set(connection.execute(cells).fetchall())
    rows = [
        (f.decision_id, None, f.entity, f.row_key, f.column, f.was, f.becomes, WAITS, f.why or _NO_ROW)
        for f in fixes
        if (f.entity in names or f.entity not in entities())
        and (f.decision_id, f.entity, f.row_key, f.column) not in standing
    ]
    if rows:
        connection.executemany("insert into quarantine.fixes values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"insert into fixing select * from quarantine.fixes where why = {literal(_NO_ROW)}")


def lay_over(connection: duckdb.DuckDBPyConnection, system: System, name: str, entity: type[Canonical]) -> None:
    """Lay the fixes of an entity over the rows in temp table ``mapped``."""
    cells = connection.execute("select distinct column_name from fixing where entity = ? order by 1", [name]).fetchall()
    key = key_of(entity)
    for (column,) in cells:
        mine = f"f.entity = {literal(name)} and f.column_name = {literal(column)} and f.row_key = m.{key}"
        account = f"quarantine.fixes as q set system = {literal(system.name)}"
        now = f"'the source now says ' || coalesce(m.{quoted(column)}, 'nothing')"
        same = _same(f"m.{quoted(column)}", "f.was")
        connection.execute(
            f"update {account}, verdict = case when {same} then '{APPLIED}' else '{WAITS}' end, "
            f"why = case when {same} then null else {now} end "
            f"from fixing as f join mapped as m on {mine} where q.decision_id = f.decision_id "
            f"and q.entity = f.entity and q.row_key = f.row_key and q.column_name = f.column_name"
        )
        connection.execute(
            f"update mapped as m set {quoted(column)} = nullif(f.becomes, '') from fixing as f where {mine} and {same}"
        )


def _same(now: str, was: str) -> str:
    """Whether two texts are one value: the gate writes an amount or a moment in its own way."""
    return (
        f"({now} is not distinct from {was} or try_cast({now} as decimal(38, 12)) = try_cast({was} as decimal(38, 12)) "
        f"or try_cast({now} as timestamptz) = try_cast({was} as timestamptz))"
    )
