"""What tables and columns mean, as comments that stay with a publication's file.

Belongs here: finding the words and writing them.  Does not belong here: the words (contracts, dbt, ``words``).
"""

from collections.abc import Mapping

import duckdb

from finpipe.publish.words import COLUMNS, TABLES
from finpipe.warehouse import literal, quoted

#: By schema and table: what the table means, and what its columns mean.
Catalogue = dict[tuple[str, str], tuple[str, dict[str, str]]]


def catalogue_of(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """Comments of all tables and columns of the warehouse, asked once: each question reads the whole catalogue."""
    known: Catalogue = {
        (schema, table): (about or "", {})
        for schema, table, about in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }
    for schema, table, column, text in connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = current_database() and comment is not null order by column_index"
    ).fetchall():
        if (schema, table) in known:
            known[schema, table][1][column] = text
    return known


def comments(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, schema: str, table: str
) -> tuple[str, dict[str, str]]:
    """What a table and its columns mean: the contract for an entity, the catalogue for everything else."""
    from finpipe.contracts import columns, entities  # noqa: PLC0415 - reading a snapshot must not cost pandera

    if schema == "canonical" and (entity := entities().get(table)):
        return " ".join((entity.__doc__ or "").split()), {c.name: c.description for c in columns(entity)}
    if schema in ("ledger", "quarantine"):
        return TABLES.get(f"{schema}.{table}", ""), words_for(connection, f"{quoted(schema)}.{quoted(table)}")
    return catalogue[schema, table]


def describe(connection: duckdb.DuckDBPyConnection, target: str, about: str, fields: Mapping[str, str]) -> None:
    """Write the words of a table and its columns."""
    said = [f"comment on table {target} is {literal(about)}"] if about else []
    said += [f"comment on column {target}.{quoted(name)} is {literal(text)}" for name, text in fields.items()]
    # In one transaction: each comment alone would be written and synced alone, and there are 1,500 of them.
    connection.begin()
    try:
        connection.execute("; ".join(said))
    except duckdb.Error:
        connection.rollback()
        raise
    connection.commit()


def words_for(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Words for those columns of a table of our own books that have any."""
    names = [row[0] for row in connection.execute(f"describe {relation}").fetchall()]
    return {name: COLUMNS[name] for name in names if name in COLUMNS}
