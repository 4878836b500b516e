"""A toy ERP whose raw tables the tests fill by hand, so that CONFORM is tried without LAND and LOAD.

``Toy`` runs whole passes over databases on disk; ``Lean`` runs the same mappings, gate and rules in memory, where only
what becomes of rows is asked.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.conform import ConformReport, conform, gate, macros, mapping, rules, run, schema
from finpipe.contracts import entities
from finpipe.ingest import ledger, raw
from finpipe.settings import Home
from finpipe.systems import Source, System, Table
from finpipe.warehouse import SCHEMAS, connect

LINEAGE = "_deleted as is_deleted, null as valid_from, 't' as source_table, _load_seq as load_seq, _row as row_number"
MAPPINGS = {
    "invoices": f"""select key('erp', id) as invoice_id, 'invoice' as kind, 'posted' as status,
        iso_date(day) as issued_on, upper(ccy) as currency, total as gross_amount, '0' as discount_amount,
        total as net_amount, '0' as tax_amount, total as total_amount, {LINEAGE} from invoice""",
    "invoice_lines": f"""select key('erp', id) as invoice_line_id, key('erp', invoice) as invoice_id,
        amount as gross_amount, '0' as discount_amount, amount as net_amount, 'USD' as currency, {LINEAGE}
        from line""",
    "journal_events": f"""select key('erp', id) as journal_event_id, 'booked' as basis, '1' as book,
        '2024-01-31' as posted_on, {LINEAGE} from posting""",
    "journal_lines": f"""select key('erp', id) as journal_line_id, key('erp', posting) as journal_event_id,
        'USD' as currency, amount as amount, {LINEAGE} from posting_line""",
}
TABLES = {
    "invoice": ("id", "day", "ccy", "total"),
    "line": ("id", "invoice", "amount"),
    "posting": ("id",),
    "posting_line": ("id", "posting", "amount"),
}


def tables(columns: dict[str, tuple[str, ...]]) -> dict[str, Table]:
    """Tables of a system, by name; they have no key, so every row is a record."""
    return {name: Table(name, tuple(map(Source.parse, names))) for name, names in columns.items()}


def toy_system(folder: Path) -> System:
    """The toy's description, with its mappings on disk."""
    folder.mkdir(parents=True)
    for entity, sql in MAPPINGS.items():
        (folder / f"{entity}.sql").write_text(sql)
    return System("toy", folder, "erp", "AR", "", tables(TABLES), {"date_formats": ["%m/%d/%Y"]})


class Toy:
    """The toy system's raw rows, and one call that conforms them."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.home, self.connection = home, connection
        self.system = toy_system(folder)
        with connect(home, home.raw) as raw:
            ledger.create(raw)
        self.describe("toy", TABLES)

    def raw(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL in LOAD's database, as a load does between two passes of CONFORM."""
        with connect(self.home, self.home.raw) as connection:
            return connection.execute(sql, values).fetchall()

    def describe(self, system: str, columns: dict[str, tuple[str, ...]]) -> None:
        """Make the tables of a system, empty."""
        with connect(self.home, self.home.raw) as connection:
            raw.create(connection, System(system, Path(), "erp", "AR", "", tables(columns)))

    def give(self, table: str, *rows: tuple[str | None, ...], deleted: bool = False) -> None:
        """Add raw rows, as if a file had brought them."""
        self.deliver("toy", table, *rows, deleted=deleted)

    def deliver(self, system: str, table: str, *rows: tuple[str | None, ...], deleted: bool = False) -> None:
        """The same for any system; the ledger knows of the load."""
        with connect(self.home, self.home.raw) as connection:
            [(last,)] = connection.execute("select coalesce(max(load_seq), 0) from ledger.loads").fetchall()
            connection.execute(
                "insert into ledger.loads by name select ? as load_seq, ? as system, ? as hash, "
                "timestamptz '2024-02-01 00:00:00+00' as received_at",
                [last + 1, system, f"hash {last + 1}"],
            )
            values = ", ".join("?" for _ in range(len(rows[0]) + 3))
            connection.executemany(
                f"insert into raw_{system}.{table} values ({values}, null, true, ?, '')",
                [(*row, last + 1, number, f"{last + 1}/{number}", deleted) for number, row in enumerate(rows, start=1)],
            )

    def conform(self) -> ConformReport:
        return conform(self.home, self.connection, {"toy": self.system})

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def toy(home: Home, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> Toy:
    return Toy(home, warehouse, tmp_path / "sources" / "toy")


class Lean:
    """The toy's mappings, the gate and the rules in memory: no file, no ledger but the times of loads."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, folder: Path) -> None:
        self.home, self.connection, self.loads = home, connection, 0
        self.system = toy_system(folder)
        connection.execute("; ".join(f"create schema {name}" for name in SCHEMAS))
        connection.execute(schema._QUARANTINE)
        connection.execute(rules.RIVALS)
        connection.execute("create table ledger.loads (load_seq bigint, received_at timestamptz)")
        for entity in MAPPINGS:
            connection.execute(schema.ddl(entity, entities()[entity]))
        for table, names in TABLES.items():
            columns = ", ".join(f"{c} varchar" for c in names)
            connection.execute(f"create table {table} ({columns}, _deleted boolean, _load_seq bigint, _row bigint)")

    def give(self, table: str, *rows: tuple[str | None, ...], deleted: bool = False) -> None:
        """Add raw rows, as if a file had brought them."""
        self.loads += 1
        self.connection.execute(f"insert into ledger.loads values ({self.loads}, '2024-02-01 00:00:00+00')")
        self.connection.executemany(
            f"insert into {table} values ({', '.join('?' for _ in range(len(rows[0]) + 3))})",
            [(*row, deleted, self.loads, number) for number, row in enumerate(rows, start=1)],
        )

    def conform(self) -> None:
        """Each mapping through the gate, then the rules across rows."""
        macros.define(self.connection, self.system, self.home.config)
        for entity in rules.parents_first(list(MAPPINGS)):
            mapping.map_into(self.connection, self.system.mappings[entity], entities()[entity])
            gate.pass_gate(self.connection, self.system, entity, entities()[entity])
        run._across_rows(self.connection, {"toy": self.system}, list(MAPPINGS))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def lean(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lean]:
    monkeypatch.setattr(gate, "CHUNK_ROWS", 2)  # so that most tests cross the end of a chunk
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        yield Lean(connection, home, tmp_path / "sources" / "toy")


Give = Callable[..., None]
