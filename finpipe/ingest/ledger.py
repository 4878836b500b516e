"""The load ledger: one row per landed file, chained by hashes, and the witness that lies outside the database.

Belongs here: tables of schema ``ledger``, the chain, the witness.  Does not belong here: rows of raw tables.
The chain covers facts of the files and what came out of them, in landing order; neither the time of loading nor how
files were grouped into runs is part of it, so a rebuild from landing gives the same hashes.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from finpipe.ingest.extract import Page
from finpipe.ingest.landing import Manifest, write_synced
from finpipe.settings import Home

#: Raised by hand when readers give other rows for the same file and description: everything is read again.
READER = "reader-5"
LOADED, REFUSED = "loaded", "refused"
_GENESIS = "0" * 64

_TABLES = """
create table if not exists ledger.loads (
    load_seq bigint primary key, system varchar, table_name varchar, digest varchar, original_name varchar,
    path varchar, received_at timestamptz, bytes bigint, rows bigint, verdict varchar, reason varchar, fix varchar,
    spec_version varchar, code_version varchar, previous_hash varchar, hash varchar, missing varchar);
-- Databases made before the ledger kept columns are read again, but keep their tables.
alter table ledger.loads add column if not exists missing varchar;
create table if not exists ledger.loaded_tables (
    load_seq bigint, system varchar, table_name varchar, rows bigint, measure_sum decimal(38, 4), notes varchar,
    page_offset bigint, stated_rows bigint, columns varchar, filled varchar);
alter table ledger.loaded_tables add column if not exists page_offset bigint;
alter table ledger.loaded_tables add column if not exists stated_rows bigint;
alter table ledger.loaded_tables add column if not exists columns varchar;
alter table ledger.loaded_tables add column if not exists filled varchar;
"""
_COMMENTS = {
    "loads": "one row per landed file: what came of it, chained by hashes in landing order",
    "loaded_tables": "one row per landed file and raw table that it fed",
}


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the ledger's tables."""
    connection.execute(_TABLES)
    for table, comment in _COMMENTS.items():
        connection.execute(f"comment on table ledger.{table} is '{comment}'")


@dataclass(frozen=True)
class TableEntry:
    """What a file brought to one raw table."""

    table: str
    rows: int
    measure_sum: str | None
    notes: str
    page: Page | None = None
    columns: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """What came of one landed file."""

    manifest: Manifest
    spec_version: str
    tables: tuple[TableEntry, ...] = ()
    reason: str = ""
    fix: str = ""
    #: Required columns the file lacked, if that is why it was refused.
    missing: str = ""

    @property
    def verdict(self) -> str:
        """``loaded``, or ``refused`` when there is a reason."""
        return REFUSED if self.reason else LOADED


def write(connection: duckdb.DuckDBPyConnection, entries: Iterable[Entry]) -> None:
    """Add entries and chain the ledger anew from the first of them; inside the caller's transaction."""
    entries = sorted(entries, key=lambda e: e.manifest.order)
    if not entries:
        return
    connection.executemany(
        "insert into ledger.loads values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?)",
        [_row(e) for e in entries],
    )
    tables = [
        (
            *(e.manifest.order, e.manifest.system, t.table, t.rows, t.measure_sum, t.notes, *_said(t.page)),
            *(",".join(t.columns) or None, ",".join(t.filled) or None),
        )
        for e in entries
        for t in e.tables
    ]
    if tables:
        connection.executemany("insert into ledger.loaded_tables values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", tables)
    chain(connection, entries[0].manifest.order)


def _said(page: Page | None) -> tuple[int | None, int | None]:
    return (page.offset, page.stated_rows) if page else (None, None)


def _row(e: Entry) -> tuple[Any, ...]:
    m = e.manifest
    rows = sum(t.rows for t in e.tables)
    return (
        *(m.order, m.system, m.table, m.sha256, m.original_name, m.file, m.received_at, m.bytes, rows),
        *(e.verdict, e.reason or None, e.fix or None, e.spec_version, READER, e.missing or None),
    )


def chain(connection: duckdb.DuckDBPyConnection, start: int) -> None:
    """Recompute hashes from an order number on (to the end: a file may enter between others after a repair)."""
    changed = [row for row in computed(connection) if row[0] >= start]
    connection.execute("create or replace temp table chained (load_seq bigint, previous_hash varchar, hash varchar)")
    if changed:
        connection.executemany("insert into chained values (?, ?, ?)", changed)
    connection.execute(
        "update ledger.loads l set previous_hash = c.previous_hash, hash = c.hash from chained c "
        "where c.load_seq = l.load_seq and l.hash is distinct from c.hash"
    )
    connection.execute("drop table chained")


def computed(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(load_seq, previous hash, hash) as they must be, from the ledger's facts."""
    tables: dict[int, list[tuple[Any, ...]]] = {}
    for seq, *facts in connection.execute(
        "select load_seq, table_name, rows, cast(measure_sum as varchar), page_offset, stated_rows "
        "from ledger.loaded_tables order by all"
    ).fetchall():
        tables.setdefault(seq, []).append(tuple(facts))
    chained, previous = [], _GENESIS
    for row in connection.execute(
        "select load_seq, system, table_name, digest, original_name, bytes, rows, verdict, reason, "
        "spec_version, code_version from ledger.loads order by load_seq"
    ).fetchall():
        said = json.dumps([previous, row, tables.get(row[0], [])], ensure_ascii=False, separators=(",", ":"))
        own = hashlib.sha256(said.encode()).hexdigest()
        chained.append((row[0], previous, own))
        previous = own
    return chained


def stored(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]]:
    """(load_seq, previous hash, hash) as they stand in the ledger."""
    return connection.execute("select load_seq, previous_hash, hash from ledger.loads order by load_seq").fetchall()


def has_facts(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the ledger has any row."""
    return bool(connection.execute("select 1 from ledger.loads limit 1").fetchall())


def read_witness(path: Path) -> dict[str, Any] | None:
    """The last head that was made durable outside the database, or None."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def write_witness(home: Home, connection: duckdb.DuckDBPyConnection, specs: str) -> None:
    """Keep the ledger's head, and under which descriptions it was reached, outside the database."""
    rows = stored(connection)
    head = {"load_seq": rows[-1][0], "hash": rows[-1][2], "specs": specs} if rows else {}
    if head and read_witness(home.witness) != head:
        write_synced(home.witness, json.dumps(head, sort_keys=True) + "\n", home.root)
