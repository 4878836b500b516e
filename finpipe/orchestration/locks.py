"""Which periods are closed, so that their figures move only with a second person.

Belongs here: the one place that says so.  Does not belong here: closing a period.
The ERP says it (``accounting_periods.is_closed``), and so does a close of finpipe's own that nobody reopened.
"""

from datetime import date

import duckdb


def locked_periods(publication: duckdb.DuckDBPyConnection) -> frozenset[tuple[str, date]]:
    """Name and last day of each closed period, in whatever calendar, as a publication knows them."""
    asked = (
        "select name, ends_on from canonical.accounting_periods where kind = 'period' and is_closed and not is_deleted"
    )
    # A publication from before there were closes has no such mart.
    if publication.execute(
        "select 1 from duckdb_tables() where table_name = 'periods' and schema_name = 'main'"
    ).fetchall():
        asked += " union select period, ends_on from main.periods where state in ('ar_locked', 'locked')"
    return frozenset((name, ends_on) for name, ends_on in publication.execute(asked).fetchall())
