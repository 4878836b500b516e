"""A live SQL source: fetched through dlt, landed, and only then read."""

import os
import sqlite3
from pathlib import Path

import pytest

from finpipe.errors import FinpipeError
from finpipe.ingest import fetch
from finpipe.ingest.landing import manifests
from tests.ingest.conftest import Company

TOML = """
role = "erp"
[database]
url = "sqlite:///{path}"
[tables.ledger_entry]
key = ["id"]
version = ["changed_at"]
required = ["id"]
measure = "amount"
columns = ["id", "amount", "memo", "changed_at"]
"""
EXTRACT = '''"""The ledger's tables, by SQL."""

from dlt.sources.sql_database import sql_table


def source(settings):
    return [sql_table(settings["database"]["url"], table="ledger_entry", backend="pyarrow", reflection_level="full",
        defer_table_reflect=True)]
'''


@pytest.fixture
def ledger(tmp_path: Path, company: Company) -> Path:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(
            "create table ledger_entry (id integer primary key, amount decimal(18,4), memo text, changed_at timestamp)"
        )
        database.executemany(
            "insert into ledger_entry values (?, ?, ?, ?)",
            [(1, "10.10", "a", "2024-01-01 00:00:00.000000"), (2, "-3.3333", None, "2024-01-02 00:00:00.000000")],
        )
    company.name = "sixth"
    company.describe(TOML.format(path=path))
    (company.system.folder / "extract.py").write_text(EXTRACT)
    return path


def test_what_a_database_holds_is_landed_first_and_loads_exactly(company: Company, ledger: Path) -> None:
    (landed,) = fetch(company.home, company.system)
    assert (landed.verdict, landed.table) == ("landed", "ledger_entry")
    ledger.unlink()
    company.load()
    assert company.query(
        "select id, amount::decimal(18, 4)::varchar, memo from raw_sixth.ledger_entry order by _row"
    ) == [
        ("1", "10.1000", "a"),
        ("2", "-3.3333", None),
    ]
    assert company.query("select measure_sum::varchar from ledger.loaded_tables") == [("6.7667",)]


def test_fetching_the_same_rows_again_lands_nothing_new(company: Company, ledger: Path) -> None:
    fetch(company.home, company.system)
    (again,) = fetch(company.home, company.system)
    assert again.verdict == "already there"
    assert len(manifests(company.home)) == 1


def test_a_source_that_does_not_answer_is_told_in_a_sentence(company: Company, ledger: Path) -> None:
    with sqlite3.connect(ledger) as database:
        database.execute("drop table ledger_entry")
    with pytest.raises(FinpipeError, match="could not be fetched"):
        fetch(company.home, company.system)


def test_a_system_without_extract_says_so(company: Company) -> None:
    with pytest.raises(FinpipeError, match="fetches nothing"):
        fetch(company.home, company.system)


def test_what_killed_processes_left_is_swept_and_what_works_is_left(company: Company) -> None:
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    scratch = company.home.scratch
    left = [scratch / f"fetch-{dead}-a", scratch / "load-b", scratch / "spill-raw"]
    for folder in (*left, scratch / f"fetch-{os.getpid()}-c"):
        folder.mkdir(parents=True)
        (folder / "half").write_text("x")
    company.load()
    assert sorted(p.name for p in scratch.glob("*-*")) == [f"fetch-{os.getpid()}-c"]
    assert not (scratch / "spill-raw" / "half").exists()
