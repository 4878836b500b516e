"""Row accounts: for every file and table, rows = accepted + superseded + duplicate + quarantined, each counted apart.

Belongs here: the count, after conform has said what it quarantined.  Does not belong here: deciding any of the four.
"""

import duckdb

from finpipe.settings import Home
from finpipe.warehouse import literal, quoted, reading_raw

_TABLE = """
create table if not exists ledger.row_accounts (
    load_seq bigint, system varchar, table_name varchar, rows bigint,
    accepted bigint, superseded bigint, duplicate bigint, quarantined bigint)"""


def refresh_row_accounts(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Fill ``ledger.row_accounts`` anew: ``rows`` as the reader said, the other four from raw and quarantine.

    The caller holds the lock of raw, as since CONFORM: the accounts are of the files that were conformed.
    """
    with reading_raw(home, connection):
        _refresh(connection)


def _refresh(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("begin transaction")
    connection.execute(_TABLE)
    connection.execute("delete from ledger.row_accounts")
    for (system,) in connection.execute("select distinct system from ledger.loaded_tables order by 1").fetchall():
        for (table,) in connection.execute(
            "select distinct table_name from ledger.loaded_tables where system = ? order by 1", [system]
        ).fetchall():
            _count(connection, system, table)
    connection.execute("commit")


def row_account_breaks(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    """Accounts that do not add up: load_seq, system, table, rows, accepted, superseded, duplicate, quarantined."""
    connection.execute(_TABLE)
    return connection.execute(
        "select * from ledger.row_accounts where rows <> accepted + superseded + duplicate + quarantined "
        "order by load_seq, table_name"
    ).fetchall()


def _places(connection: duckdb.DuckDBPyConnection, books: str, system: str, table: str) -> str:
    """Files and rows of a raw table that CONFORM has written down in one of its books, if it has one yet."""
    schema, name = books.split(".")
    there = "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
    if not connection.execute(there, [schema, name]).fetchall():
        return "select null::bigint as load_seq, null::bigint as row_number where false"
    return (
        f"select distinct load_seq, row_number from {books} where system = {literal(system)} "
        f"and source_table = {literal(table)}"
    )


def _count(connection: duckdb.DuckDBPyConnection, system: str, table: str) -> None:
    """Count one table.

    A duplicate repeats an earlier row in key and content; the latest view shows the first row of the newest content, so
    no row is both. Of a record that another system took over, the newest version is that system's.
    """
    raw, latest = f"raw.raw_{system}.{quoted(table)}", f"raw.latest_{system}.{quoted(table)}"
    bad = _places(connection, "quarantine.rows", system, table)
    gone = _places(connection, "ledger.replaced_rows", system, table)
    connection.execute(
        f"""
        insert into ledger.row_accounts
        with bad as ({bad}),
        gone as ({gone}),
        replaced as (
            select _load_seq, _row from {latest} semi join gone on load_seq = _load_seq and row_number = _row
            anti join bad on load_seq = _load_seq and row_number = _row),
        latest as (select _load_seq, _row from {latest} anti join replaced using (_load_seq, _row)),
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
        newest as (select * from latest union all select * from replaced),
        duplicate as (select _load_seq, count(*) as n from copies where copy > 1 group by 1),
        superseded as (
            select _load_seq, count(*) as n from (
                select _load_seq, _row from copies where copy = 1
                union all
                select _load_seq, _row from {raw} where not _active and _key not in (select _key from repeated)) f
            anti join newest using (_load_seq, _row) group by 1
            union all
            select _load_seq, count(*) from replaced group by 1),
        outdated as (select _load_seq, sum(n)::bigint as n from superseded group by 1)
        select l.load_seq, l.system, l.table_name, l.rows, coalesce(a.n, 0), coalesce(s.n, 0), coalesce(d.n, 0),
            coalesce(q.n, 0)
        from ledger.loaded_tables l
        left join accepted a on a._load_seq = l.load_seq
        left join outdated s on s._load_seq = l.load_seq
        left join duplicate d on d._load_seq = l.load_seq
        left join quarantined q on q._load_seq = l.load_seq
        where l.system = {literal(system)} and l.table_name = {literal(table)}
        """
    )
