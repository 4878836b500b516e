"""A toy ERP whose raw tables the tests fill by hand, so that CONFORM is tried without LAND and LOAD."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.conform import ConformReport, conform
from finpipe.ingest import ledger
from finpipe.settings import Home
from finpipe.systems import System, Table
from finpipe.warehouse import connect

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
    return {name: Table(name, ()) for name in columns}


class Toy:
    """The toy system's raw rows, and one call that conforms them."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.home, self.connection = home, connection
        folder.mkdir(parents=True)
        for entity, sql in MAPPINGS.items():
            (folder / f"{entity}.sql").write_text(sql)
        self.system = System("toy", folder, "erp", "AR", "", tables(TABLES), {"date_formats": ["%m/%d/%Y"]})
        with connect(home, home.raw) as raw:
            ledger.create(raw)
        self.describe("toy", TABLES)

    def raw(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run SQL in LOAD's database, as a load does between two passes of CONFORM."""
        with connect(self.home, self.home.raw) as connection:
            return connection.execute(sql, values).fetchall()

    def describe(self, system: str, columns: dict[str, tuple[str, ...]]) -> None:
        """Make the tables of a system, empty."""
        facts = "_deleted boolean, _load_seq bigint, _row bigint"
        made = [
            f"create table latest_{system}.{table} ({', '.join(f'{c} varchar' for c in names)}, {facts})"
            for table, names in columns.items()
        ]
        self.raw("; ".join([f"create schema latest_{system}", *made]))

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
            marks = ", ".join("?" for _ in range(len(rows[0]) + 3))
            connection.executemany(
                f"insert into latest_{system}.{table} values ({marks})",
                [(*row, deleted, last + 1, number) for number, row in enumerate(rows, start=1)],
            )

    def conform(self) -> ConformReport:
        return conform(self.home, self.connection, {"toy": self.system})

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def toy(home: Home, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> Toy:
    return Toy(home, warehouse, tmp_path / "sources" / "toy")


Give = Callable[..., None]
