"""Row accounts: for every file and table, rows = accepted + superseded + duplicate + quarantined, each counted apart.

Belongs here: the count, after conform has said what it quarantined.  Does not belong here: deciding any of the four.
"""

import duckdb

from finpipe.ingest import ledger
from finpipe.warehouse import literal, quoted


def refresh_row_accounts(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``ledger.row_accounts`` anew: ``rows`` as the reader said, the other four from raw and quarantine."""
    ledger.create(connection)
    connection.execute("begin transaction")
    connection.execute("delete from ledger.row_accounts")
    for (system,) in connection.execute("select distinct system from ledger.loaded_tables order by 1").fetchall():
        for (table,) in connection.execute(
            "select distinct table_name from ledger.loaded_tables where system = ? order by 1", [system]
        ).fetchall():
            _count(connection, system, table, quarantine=_has_quarantine(connection))
    connection.execute("commit")


def row_account_breaks(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Accounts that do not add up: load_seq, system, table, rows, accepted, superseded, duplicate, quarantined."""
    return connection.execute(
        "select * from ledger.row_accounts where rows <> accepted + superseded + duplicate + quarantined "
        "order by load_seq, table_name"
    ).fetchall()


def _has_quarantine(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'quarantine' and table_name = 'rows'"
        ).fetchall()
    )


def _count(connection: duckdb.DuckDBPyConnection, system: str, table: str, *, quarantine: bool) -> None:
    """Count one table.

    A duplicate repeats an earlier row in key and content; the latest view shows the first row of the newest content, so
    no row is both.
    """
    raw, latest = f"raw_{system}.{quoted(table)}", f"latest_{system}.{quoted(table)}"
    bad = (
        f"select distinct load_seq, row_number from quarantine.rows where system = {literal(system)} "
        f"and source_table = {literal(table)}"
        if quarantine
        else "select null::bigint as load_seq, null::bigint as row_number where false"
    )
    connection.execute(
        f"""
        insert into ledger.row_accounts
        with bad as ({bad}),
        latest as (select _load_seq, _row from {latest}),
        quarantined as (
            select _load_seq, count(*) as n from latest
            semi join bad on load_seq = _load_seq and row_number = _row group by 1),
        accepted as (
            select _load_seq, count(*) as n from latest
            anti join bad on load_seq = _load_seq and row_number = _row group by 1),
        repeated as (select _key from {raw} group by _key having count(*) > 1),
        copies as (
            select _load_seq, _row, row_number() over (partition by _key, _hash order by _load_seq, _row) as copy
            from {raw} where _key in (select _key from repeated)),
        duplicate as (select _load_seq, count(*) as n from copies where copy > 1 group by 1),
        superseded as (
            select _load_seq, count(*) as n from (
                select _load_seq, _row from copies where copy = 1
                union all
                select _load_seq, _row from {raw} where not _active and _key not in (select _key from repeated)) f
            anti join latest using (_load_seq, _row) group by 1)
        select l.load_seq, l.system, l.table_name, l.rows, coalesce(a.n, 0), coalesce(s.n, 0), coalesce(d.n, 0),
            coalesce(q.n, 0)
        from ledger.loaded_tables l
        left join accepted a on a._load_seq = l.load_seq
        left join superseded s on s._load_seq = l.load_seq
        left join duplicate d on d._load_seq = l.load_seq
        left join quarantined q on q._load_seq = l.load_seq
        where l.system = {literal(system)} and l.table_name = {literal(table)}
        """
    )
