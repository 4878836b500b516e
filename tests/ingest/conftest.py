"""A small system of the test's own, added as one folder, and short ways to land, load and look."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from finpipe.ingest import Landed, LoadReport, land, load, open_raw
from finpipe.settings import Home
from finpipe.systems import System, find_systems

SHOP = """
role = "billing"
owner = "billing"
prefixes = ["shop"]
suffixes = ["data"]
date_formats = ["%m/%d/%Y"]
[json]
records = ["data", "items"]
kind = "object"
[tables.customer]
kind = "customer"
key = ["id"]
version = ["changed"]
required = ["id", "name"]
deleted = ["is_deleted"]
active = ["is_active"]
measure = "balance"
columns = ["id", "name", "balance", "changed | last_modified_date | updated", "is_deleted", "is_active",
  "parent | parent.id", "tax_id | Tax_Id__c"]
[tables.invoice]
kind = "invoice"
key = ["id"]
version = ["created"]
columns = ["id", "total", "currency", "created", "paid_at | status_transitions.paid_at", "memo"]
[tables.invoice_line]
kind = "line_item"
embedded = ["invoice.lines.data"]
key = ["id"]
columns = ["id", "amount", "invoice | invoice_id | ^id", "position | #"]
[tables.movement]
columns = ["on", "amount", "text"]
[tables.opportunity]
key = ["id"]
required = ["id", "close_date"]
columns = ["id", "close_date", "amount", "stage_name"]
"""


@dataclass
class Company:
    """A home with the test's system, and what tests do with it."""

    home: Home
    incoming: Path
    name: str = "shop"
    reports: list[LoadReport] = field(default_factory=list)

    @property
    def systems(self) -> dict[str, System]:
        return {k: v for k, v in find_systems(self.home).items() if k == self.name}

    @property
    def system(self) -> System:
        return self.systems[self.name]

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.incoming / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def land(self, **files: str | bytes) -> list[Landed]:
        """Land files given as ``Account_csv="..."``: the last ``_`` before a known ending is its dot."""
        return land(self.home, self.system, [self.write(name.replace("__", "."), data) for name, data in files.items()])

    def take(self, name: str, content: str | bytes) -> Landed:
        return land(self.home, self.system, [self.write(name, content)])[0]

    def load(self) -> LoadReport:
        with open_raw(self.home) as (connection, _):
            return load(self.home, connection, self.systems)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_raw(self.home) as (connection, _):
            return connection.execute(sql).fetchall()

    def describe(self, text: str) -> None:
        assert self.home.extra_sources is not None
        folder = self.home.extra_sources / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "system.toml").write_text(text, encoding="utf-8")

    def hashes(self) -> list[tuple[Any, ...]]:
        return self.query("select load_seq, hash from ledger.loads order by 1")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with the test's system and nothing landed."""
    found = Company(Home(tmp_path / "home", tmp_path / "sources"), tmp_path / "incoming")
    found.describe(SHOP)
    return found


@pytest.fixture
def other_company(tmp_path: Path) -> Callable[[str], Company]:
    """More companies with the same system."""

    def make(name: str) -> Company:
        found = Company(Home(tmp_path / name / "home", tmp_path / "sources"), tmp_path / "incoming")
        found.describe(SHOP)
        return found

    return make
