"""The tables CONFORM writes: canonical entities, quarantine and reference data.

Belongs here: their DDL, derived from the contracts.  Does not belong here: any row of them.
"""

import duckdb

from finpipe.conform.fixes import TABLE as FIXES
from finpipe.conform.matching import TABLE as PAIRS
from finpipe.contracts import Canonical, columns, entities, version_of
from finpipe.reference.currencies import MINOR_UNITS
from finpipe.warehouse import literal

_QUARANTINE = """
create table if not exists quarantine.rows (
    system varchar, entity varchar, row_key varchar, source_table varchar, load_seq bigint, row_number bigint,
    code varchar, reasons varchar, "row" varchar, amount decimal(18, 4), currency varchar, owner varchar,
    recorded_at timestamp with time zone
)"""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing; an entity whose contract changed starts empty and is conformed again."""
    connection.execute(_QUARANTINE)
    connection.execute(FIXES)
    connection.execute(PAIRS)
    connection.execute("create table if not exists ledger.conformed (entity varchar primary key, inputs varchar)")
    codes = ", ".join(f"({literal(code)}, {units})" for code, units in sorted(MINOR_UNITS.items()))
    connection.execute(
        f"create or replace table reference.currencies as select * from (values {codes}) as iso (code, minor_units)"
    )
    in_force = _contracts_in_force(connection)
    for name, entity in entities().items():
        if in_force.get(name) != version_of(entity):
            connection.execute(ddl(name, entity))
            connection.execute(f"comment on table canonical.{name} is {literal(version_of(entity))}")
            connection.execute("delete from ledger.conformed where entity = ?", [name])


def ddl(name: str, entity: type[Canonical]) -> str:
    """``create table`` for one entity, columns and types as its contract has them."""
    body = ", ".join(f"{c.name} {c.sql_type}{'' if c.nullable else ' not null'}" for c in columns(entity))
    return f"create or replace table canonical.{name} ({body})"


def _contracts_in_force(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The contract version each canonical table was made with, kept as its comment."""
    tables = "select table_name, comment from duckdb_tables() where schema_name = 'canonical'"
    return dict(connection.execute(tables).fetchall())
