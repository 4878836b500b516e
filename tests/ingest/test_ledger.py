"""The ledger by itself: what it keeps of each file, how its chain is made, and the witness outside the database."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from finpipe.ingest import ledger
from finpipe.ingest.extract import Page
from finpipe.ingest.landing import Manifest
from finpipe.ingest.ledger import Entry, TableEntry
from finpipe.settings import Home

FIRST = Manifest(
    1, "shop", "customer", "c.csv", "in", "2025-07-01T06:00:00+00:00", 12, "ab" * 32, "shop/ab/cd/c.csv", "t1"
)
SECOND = replace(FIRST, order=2, table="_mixed", original_name="all.json", sha256="cd" * 32, bytes=7)
LOADED = Entry(
    FIRST, "spec-1", (TableEntry("customer", 3, "10.5000", "", columns=("id", "name"), filled=("name", "tax_id")),)
)
MIXED = Entry(
    SECOND, "spec-1", (TableEntry("customer", 1, None, "odd", Page(40, 20)), TableEntry("invoice", 2, "7", ""))
)
REFUSED = Entry(replace(FIRST, order=3, original_name="bad.csv"), "spec-1", (), "no id", "send it whole", "id,name")


@pytest.fixture
def connection(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    ledger.create(warehouse)
    return warehouse


def asked(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def test_a_file_is_kept_with_what_came_of_it(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.write(connection, [LOADED, REFUSED])
    assert asked(
        connection,
        "select load_seq, system, table_name, digest, original_name, path, bytes, rows, verdict, reason, fix, "
        "spec_version, code_version, missing, epoch(received_at)::bigint from ledger.loads order by 1",
    ) == [
        (1, "shop", "customer", "ab" * 32, "c.csv", FIRST.file, 12, 3, "loaded", None, None, "spec-1", ledger.READER,
         None, 1751349600),
        (3, "shop", "customer", "ab" * 32, "bad.csv", FIRST.file, 12, 0, "refused", "no id", "send it whole", "spec-1",
         ledger.READER, "id,name", 1751349600),
    ]  # fmt: skip


def test_each_table_that_a_file_fed_has_a_line(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.write(connection, [MIXED, LOADED])
    assert asked(connection, "select * from ledger.loaded_tables order by load_seq, table_name") == [
        (1, "shop", "customer", 3, 10.5, "", None, None, "id,name", "name,tax_id"),
        (2, "shop", "customer", 1, None, "odd", 20, 40, None, None),
        (2, "shop", "invoice", 2, 7, "", None, None, None, None),
    ]
    assert asked(connection, "select rows from ledger.loads order by load_seq") == [(3,), (3,)]


def test_the_chain_covers_the_facts_of_files_in_landing_order(connection: duckdb.DuckDBPyConnection) -> None:
    """The hash of a load as the manual states it, so that anybody can compute it without finpipe."""
    ledger.write(connection, [LOADED, MIXED])
    first = ["0" * 64, [1, "shop", "customer", "ab" * 32, "c.csv", 12, 3, "loaded", None, "spec-1", ledger.READER],
             [["customer", 3, "10.5000", None, None]]]  # fmt: skip
    one = hashlib.sha256(json.dumps(first, separators=(",", ":")).encode()).hexdigest()
    second = [one, [2, "shop", "_mixed", "cd" * 32, "all.json", 7, 3, "loaded", None, "spec-1", ledger.READER],
              [["customer", 1, None, 20, 40], ["invoice", 2, "7.0000", None, None]]]  # fmt: skip
    two = hashlib.sha256(json.dumps(second, separators=(",", ":")).encode()).hexdigest()
    assert ledger.stored(connection) == [(1, "0" * 64, one), (2, one, two)] == ledger.computed(connection)


def test_letters_beyond_ascii_are_hashed_as_they_are(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.write(connection, [Entry(replace(FIRST, original_name="Größe.csv"), "spec-1")])
    said = [
        "0" * 64,
        [1, "shop", "customer", "ab" * 32, "Größe.csv", 12, 0, "loaded", None, "spec-1", ledger.READER],
        [],
    ]
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    assert ledger.stored(connection)[0][2] == hashlib.sha256(text.encode()).hexdigest()


def test_files_written_apart_or_between_others_give_one_chain(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.write(connection, [REFUSED, MIXED, LOADED])
    whole = ledger.stored(connection)
    asked(connection, "delete from ledger.loads; delete from ledger.loaded_tables")
    ledger.write(connection, [])
    assert ledger.stored(connection) == []
    for entry in (LOADED, REFUSED, MIXED):  # the last comes between the two before it
        ledger.write(connection, [entry])
    assert ledger.stored(connection) == whole
    assert [row[0] for row in whole] == [1, 2, 3]


def test_the_chain_is_made_anew_from_a_load_on_and_not_before(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.write(connection, [LOADED, MIXED, REFUSED])
    whole = ledger.stored(connection)
    asked(connection, "update ledger.loads set hash = 'x', previous_hash = 'y'")
    ledger.chain(connection, 2)
    assert ledger.stored(connection) == [(1, "y", "x"), *whole[1:]]
    ledger.chain(connection, 4)
    assert ledger.stored(connection)[0] == (1, "y", "x")
    ledger.chain(connection, 1)
    assert ledger.stored(connection) == whole
    assert asked(connection, "select count(*) from duckdb_tables() where table_name = 'chained'") == [(0,)]


def test_a_ledger_without_a_row_has_no_facts(connection: duckdb.DuckDBPyConnection) -> None:
    assert ledger.has_facts(connection) is False
    ledger.write(connection, [LOADED])
    assert ledger.has_facts(connection) is True


def test_every_table_says_what_it_holds(connection: duckdb.DuckDBPyConnection) -> None:
    ledger.create(connection)  # again: nothing is lost
    said = dict(asked(connection, "select table_name, comment from duckdb_tables() where schema_name = 'ledger'"))
    assert said == {
        "loads": "one row per landed file: what came of it, chained by hashes in landing order",
        "loaded_tables": "one row per landed file and raw table that it fed",
    }


def test_the_witness_holds_the_head_and_is_written_only_when_it_moved(
    home: Home, connection: duckdb.DuckDBPyConnection
) -> None:
    ledger.write_witness(home, connection, "s1")
    assert ledger.read_witness(home.witness) is None  # nothing is loaded: nothing to witness
    ledger.write(connection, [LOADED, MIXED, REFUSED])
    ledger.write_witness(home, connection, "s1")
    head = {"load_seq": 3, "hash": ledger.stored(connection)[2][2], "specs": "s1"}
    assert ledger.read_witness(home.witness) == head
    assert home.witness.read_text(encoding="utf-8") == json.dumps(head, sort_keys=True) + "\n"
    written = home.witness.stat().st_ino
    ledger.write_witness(home, connection, "s1")
    assert home.witness.stat().st_ino == written
    ledger.write_witness(home, connection, "s2")
    assert (ledger.read_witness(home.witness) or {})["specs"] == "s2"


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null"])
def test_a_garbled_witness_witnesses_nothing(home: Home, text: str) -> None:
    home.root.mkdir(parents=True)
    home.witness.write_text(text)
    assert ledger.read_witness(home.witness) == {}
