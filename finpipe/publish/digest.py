"""What a table says, as one short text that is equal for equal content.

Belongs here: digests over rows.  Does not belong here: hashes of files (``snapshot``).
The order of rows, the number of threads and the version of DuckDB do not show in a digest: every value is
taken as its text, every row is hashed, and the hashes are added.  Counting each equal row once more changes it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import duckdb

from finpipe.warehouse import literal, quoted


class Digest(NamedTuple):
    """Rows of a table and the digest over them."""

    rows: int
    digest: str


def digest_tables(
    connection: duckdb.DuckDBPyConnection,
    schemas: Iterable[str],
    *,
    catalog: str | None = None,
    without: frozenset[str] = frozenset(),
) -> dict[str, Digest]:
    """Digest of every base table in the schemas, by ``schema.table``.

    ``without`` leaves columns out: ``load_seq``, say, to compare two homes that landed in different orders.
    """
    tables = tables_of(connection, schemas, catalog)
    columns: dict[tuple[str, str], list[str]] = {table: [] for table in tables}
    # Columns by name, so their order does not show either; asked once, for each question reads the whole catalogue.
    for schema, table, column in connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        f"where {_within(catalog)} order by column_name"
    ).fetchall():
        if (schema, table) in columns and column not in without:
            columns[schema, table].append(column)
    return {
        f"{schema}.{table}": _digest(connection, ".".join(quoted(p) for p in (catalog, schema, table) if p), names)
        for (schema, table), names in columns.items()
    }


def tables_of(
    connection: duckdb.DuckDBPyConnection, schemas: Iterable[str], catalog: str | None = None
) -> list[tuple[str, str]]:
    """Schema and name of each base table in the schemas, in order."""
    listed = ", ".join(literal(s) for s in schemas)
    found = connection.execute(
        f"select schema_name, table_name from duckdb_tables() where {_within(catalog)} and schema_name in ({listed}) "
        "and not internal and not temporary order by all"
    ).fetchall()
    return [(schema, table) for schema, table in found]


def _within(catalog: str | None) -> str:
    return "database_name = " + (literal(catalog) if catalog else "current_database()")


def _digest(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]) -> Digest:
    # Unit separator between values, record separator for null: neither occurs in the text of a value of ours.
    row = ", ".join(f"coalesce({quoted(name)}::varchar, chr(30))" for name in columns) or "''"
    rows, one, other = connection.execute(
        f"select count(*), sum((hash & 18446744073709551615)::hugeint), sum((hash >> 64)::hugeint) "
        f"from (select md5_number(concat_ws(chr(31), {row})) as hash from {relation})"
    ).fetchall()[0]
    facts = f"{','.join(columns)}|{rows}|{one or 0}|{other or 0}"
    return Digest(rows, hashlib.sha256(facts.encode()).hexdigest()[:32])


def whole(digests: dict[str, Digest]) -> str:
    """One digest over all tables."""
    lines = "\n".join(f"{name} {found.rows} {found.digest}" for name, found in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:32]
