"""Numbers as Dagster metadata.

Belongs here: turning our values into what Dagster shows.  Does not belong here: computing figures for marts.
Dagster refuses ``Decimal`` and ``date``, and a float would not be the figure: money is shown as text.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import dagster as dg
import duckdb

from finpipe.warehouse import literal, quoted

#: Amount columns that totals are shown of; a table with more has them in its own columns.
_MOST_TOTALS = 4
#: Rows of a table that Dagster shows beside an asset or a check.
_MOST_ROWS = 50


def shown(value: Any) -> str | int | float | bool | None:
    """A value as metadata may hold it; an amount with two decimals, or as many as it has."""
    if isinstance(value, Decimal):
        whole, _, rest = f"{value:,f}".partition(".")
        return f"{whole}.{rest.rstrip('0'):0<2}" if rest else whole
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dg.TableMetadataValue:
    """Rows as an inline table, whatever their types; no more than fits a screen."""
    records = [dg.TableRecord({c: shown(v) for c, v in zip(columns, row, strict=True)}) for row in rows[:_MOST_ROWS]]
    schema = dg.TableSchema([dg.TableColumn(c, "string") for c in columns])
    return dg.MetadataValue.table(records, schema)


def measures(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Row count, and totals of its amounts by currency, for each ``schema.table`` that exists."""
    return {name: _measure(connection, name, columns) for name, columns in _columns(connection, names).items()}


def _columns(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, dict[str, str]]:
    wanted = ", ".join(literal(n) for n in names) or "''"
    found = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name || '.' || table_name in "
        f"({wanted}) order by 1, column_index"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for name, column, kind in found:
        tables.setdefault(name, {})[column] = kind
    return tables


def _measure(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> dict[str, Any]:
    relation = ".".join(quoted(part) for part in name.split("."))
    amounts = [c for c, t in columns.items() if t.startswith("DECIMAL") and c.endswith("amount")][:_MOST_TOTALS]
    if not amounts or "currency" not in columns:
        rows = connection.execute(f"select count(*) from {relation}").fetchall()[0][0]
        return {"dagster/row_count": rows}
    sums = ", ".join(f"sum({quoted(a)})" for a in amounts)
    totals = connection.execute(
        f"select currency, count(*), {sums} from {relation} group by currency order by currency nulls last"
    ).fetchall()
    return {
        "dagster/row_count": sum(row[1] for row in totals),
        "totals": table(["currency", "rows", *amounts], totals),
    }
