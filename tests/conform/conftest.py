"""A toy ERP whose raw tables the tests fill by hand, so that CONFORM is tried without LAND and LOAD."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from finpipe.conform import ConformReport, conform
from finpipe.settings import Home
from finpipe.systems import System

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


class Toy:
    """The toy system's raw rows, and one call that conforms them."""

    def __init__(self, home: Home, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.home, self.connection = home, connection
        folder.mkdir(parents=True)
        for entity, sql in MAPPINGS.items():
            (folder / f"{entity}.sql").write_text(sql)
        self.system = System("toy", folder, "erp", "AR", "", {}, {"date_formats": ["%m/%d/%Y"]})
        connection.execute("create schema latest_toy")
        connection.execute(
            "create table ledger.loads (load_seq bigint, system varchar, hash varchar, received_at timestamptz)"
        )
        for table, columns in TABLES.items():
            listed = ", ".join(f"{c} varchar" for c in columns)
            connection.execute(
                f"create table latest_toy.{table} ({listed}, _deleted boolean, _load_seq bigint, _row bigint)"
            )

    def give(self, table: str, *rows: tuple[str | None, ...], deleted: bool = False) -> None:
        """Add raw rows, as if a file had brought them."""
        sequence = self.connection.execute("select coalesce(max(load_seq), 0) + 1 from ledger.loads").fetchall()[0][0]
        self.connection.execute(
            "insert into ledger.loads values (?, 'toy', ?, timestamptz '2024-02-01 00:00:00+00')",
            [sequence, f"hash {sequence}"],
        )
        for number, row in enumerate(rows, start=1):
            marks = ", ".join("?" for _ in range(len(row) + 3))
            self.connection.execute(
                f"insert into latest_toy.{table} values ({marks})", [*row, deleted, sequence, number]
            )

    def conform(self) -> ConformReport:
        return conform(self.home, self.connection, {"toy": self.system})

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture
def toy(home: Home, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> Toy:
    return Toy(home, warehouse, tmp_path / "sources" / "toy")


Give = Callable[..., None]
