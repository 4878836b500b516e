"""Raw tables: append-only text exactly as extracts gave it, with the few facts every later stage needs.

Belongs here: their columns, the insert that admits staged rows, the views of rows in force and of those that are not.
Does not belong here: meaning.

``_key``: the key columns, joined; a row whose first key column is empty, or of a table without key, is identified by
its content and its occurrence within the file: equal lines of one file stay apart, the same file again is recognised.
"""

import duckdb

from finpipe.ingest.stage import Staged
from finpipe.systems import System, Table
from finpipe.warehouse import literal, quoted

_FACTS = {
    "_load_seq": ("BIGINT", "landing order of the file the row came with"),
    "_row": ("BIGINT", "position in that file, from 1"),
    "_key": ("VARCHAR", "identity of the record"),
    "_version": ("TIMESTAMP", "the record's modification time as the source says"),
    "_active": ("BOOLEAN", "false for rows that connectors keep as mere history"),
    "_deleted": ("BOOLEAN", "whether the source marks the record as deleted"),
    "_hash": ("VARCHAR", "md5 of the declared columns"),
}
#: Each system's tables, the rows of them that newer rows of their records supersede, and the newest.
_SCHEMAS = ("raw", "superseded", "latest")
#: How many columns of facts follow the declared ones.
FACTS = len(_FACTS)
_FALSE = "('false', 'f', '0', 'no', 'n')"
_TRUE = "('true', 't', '1', 'yes', 'y')"


def name_of(system: System, table: Table) -> str:
    """The raw table's qualified name."""
    return f"raw_{system.name}.{quoted(table.name)}"


def create(connection: duckdb.DuckDBPyConnection, system: System) -> None:
    """Create a system's raw tables and their views, empty ones too.

    Inside the caller's transaction: a table without its views stops every mapping.
    """
    schemas = [f"{kind}_{system.name}" for kind in _SCHEMAS]
    for schema in schemas:
        connection.execute(f"create schema if not exists {schema}")
    there = {
        row[0]
        for row in connection.execute(
            "select table_name from duckdb_tables() where schema_name = ? intersect "
            "select view_name from duckdb_views() where schema_name = ? intersect "
            "select view_name from duckdb_views() where schema_name = ?",
            schemas,
        ).fetchall()
    }
    for table in system.tables.values():
        if table.name not in there:
            _create_one(connection, system, table)


def _create_one(connection: duckdb.DuckDBPyConnection, system: System, table: Table) -> None:
    columns = [f"{quoted(c)} VARCHAR" for c in table.column_names]
    columns += [f"{c} {kind}" for c, (kind, _) in _FACTS.items()]
    name = name_of(system, table)
    connection.execute(f"create table if not exists {name} ({', '.join(columns)})")
    about = f"{system.name} {table.name} as its extracts say; one row per row delivered"
    connection.execute(f"comment on table {name} is {literal(about)}")
    for column, (_, text) in _FACTS.items():
        connection.execute(f"comment on column {name}.{column} is {literal(text)}")
    connection.execute(_superseded(system, table))
    connection.execute(
        f"create or replace view latest_{system.name}.{quoted(table.name)} as "
        f"select * from {name} where _active and rowid not in (from superseded_{system.name}.{quoted(table.name)})"
    )


def _superseded(system: System, table: Table) -> str:
    """The view of the rows that another row of their record supersedes, by ``rowid``.

    Of equal contents the first row that brought them counts, so a file that is delivered again changes nothing. Keys
    that came once (nearly all) skip the comparison.
    """
    name, place = name_of(system, table), "_load_seq * 10000000000 + _row"
    return f"""
        create or replace view superseded_{system.name}.{quoted(table.name)} as
        with repeated as (select _key from {name} group by _key having count(*) > 1),
        contents as (
            select _key, _hash, bool_or(_active) as is_active, max(_version) as changed_at,
                min({place}) as first_place, max({place}) as last_place
            from {name} where _key in (select _key from repeated) group by _key, _hash),
        newest as (
            select first_place from contents
            qualify row_number() over (partition by _key
                order by is_active desc, changed_at desc nulls last, last_place desc) = 1)
        select rowid as row_id from {name}
        where _key in (select _key from repeated) and {place} not in (select first_place from newest)
        """


def drop(connection: duckdb.DuckDBPyConnection, system: str) -> None:
    """Forget a system's raw tables and its ledger rows; landing still has the files."""
    for kind in reversed(_SCHEMAS):
        connection.execute(f"drop schema if exists {kind}_{system} cascade")
    connection.execute("delete from ledger.loaded_tables where system = ?", [system])
    connection.execute("delete from ledger.loads where system = ?", [system])


def admit(connection: duckdb.DuckDBPyConnection, system: System, staged: Staged) -> None:
    """Append staged rows to their raw table, with their facts computed in SQL."""
    table = staged.part.table
    columns = ", ".join(quoted(c) for c in table.column_names)
    content = ", ".join(f"coalesce({quoted(c)}, '')" for c in table.column_names)
    key = _key(table, keyless=not table.key or _lacks_key(connection, staged))
    connection.execute(
        f"insert into {name_of(system, table)} by name select {columns}, _load_seq, _row, {key} as _key, "
        f"{_version(system, table)} as _version, {_active(table)} as _active, {_deleted(table)} as _deleted, _hash "
        f"from (select *, md5(concat_ws(chr(31), {content})) as _hash from {_rows(staged)})"
    )


def _rows(staged: Staged) -> str:
    """Staged rows under their columns' names, with their position."""
    names = ", ".join(f"c{i} as {quoted(c)}" for i, c in enumerate(staged.part.table.column_names))
    files = ", ".join(literal(f) for f in staged.files)
    scan = f"read_parquet([{files}], file_row_number = true)"
    return f"(select {names}, _load_seq, file_row_number + 1 as _row from {scan})"


def _lacks_key(connection: duckdb.DuckDBPyConnection, staged: Staged) -> bool:
    """Whether any staged row has no value in its first key column."""
    first = quoted(staged.part.table.key[0])
    return bool(connection.execute(f"select 1 from {_rows(staged)} where {first} is null limit 1").fetchall())


def _key(table: Table, *, keyless: bool) -> str:
    """Identity of a record as SQL."""
    parts = [f"coalesce(replace({quoted(k)}, '|', '||'), '')" for k in table.key]
    own = quoted(table.key[0]) if len(parts) == 1 else " || '|' || ".join(parts)
    if not keyless:
        return own
    content = "_hash || '#' || row_number() over (partition by _load_seq, _hash order by _row)"
    return f"case when {quoted(table.key[0])} is null then {content} else {own} end" if parts else content


def _version(system: System, table: Table) -> str:
    """Modification time as SQL: the first version column that is filled in."""
    if not table.version:
        return "null::timestamp"
    text = f"coalesce({', '.join(quoted(c) for c in table.version)})"
    return instant(text, list(system.settings.get("date_formats", ())))


def instant(text: str, formats: list[str]) -> str:
    """A moment in UTC out of ISO text, epoch seconds or milliseconds, or a declared format; null for anything else."""
    plain = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
    seconds = f"regexp_full_match({text}, '[0-9]{{9,11}}')"
    milliseconds = f"regexp_full_match({text}, '[0-9]{{12,14}}')"
    epoch = (
        f"case when {seconds} then make_timestamp(try_cast({text} as bigint) * 1000000) "
        f"when {milliseconds} then make_timestamp(try_cast({text} as bigint) * 1000) end"
    )
    times = ("", " %H:%M:%S", " %I:%M:%S %p", " %H:%M", " %I:%M %p")
    spelled = ", ".join(literal(f + t) for f in formats for t in times)
    declared = f", try_strptime({text}, [{spelled}])" if formats else ""
    return f"coalesce({plain}, {epoch}{declared})"


def _active(table: Table) -> str:
    tests = [f"coalesce(lower({quoted(c)}) not in {_FALSE}, true)" for c in table.active]
    return f"({' and '.join(tests)})" if tests else "true"


def _deleted(table: Table) -> str:
    tests = [f"coalesce(lower({quoted(c)}) in {_TRUE}, false)" for c in table.deleted]
    return f"({' or '.join(tests)})" if tests else "false"


def sums(connection: duckdb.DuckDBPyConnection, staged: Staged) -> dict[int, str | None]:
    """Control total of the table's measure per file, of what is a plain decimal."""
    table = staged.part.table
    if table.measure is None:
        return {}
    found = connection.execute(
        f"select _load_seq, sum(try_cast({quoted(table.measure)} as decimal(38, 4)))::varchar "
        f"from {_rows(staged)} group by 1"
    ).fetchall()
    return dict(found)


def counts(connection: duckdb.DuckDBPyConnection, system: System) -> dict[tuple[int, str], int]:
    """Rows per file and table as they stand in raw."""
    selects = [
        f"select _load_seq, {literal(t.name)}, count(*) from {name_of(system, t)} group by 1"
        for t in system.tables.values()
    ]
    if not selects:
        return {}
    return {(seq, table): n for seq, table, n in connection.execute(" union all ".join(selects)).fetchall()}
