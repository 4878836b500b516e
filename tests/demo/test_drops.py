"""Drops lose nothing: what they hold in the end is the extracts, and every mishap is listed."""

import csv
import json
from pathlib import Path

import pytest

from finpipe.demo import DemoError, generate

from .conftest import rows_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(5, 0.005, "none", tmp_path_factory.mktemp("drops") / "x", batches="day").out


def whole_files(folder: Path, pattern: str) -> list[Path]:
    """Delivered files without the torn copies, in order of delivery."""
    torn = {(r["file"], r["drop"]) for r in rows_of(folder)("truth/drops.csv") if r["kind"] == "torn"}
    files = sorted((folder / "drops").glob(f"*/{pattern}"))
    return [f for f in files if ("/".join(f.parts[-2:]), f.parts[-3]) not in torn]


@pytest.mark.parametrize(
    "table", ["invoice", "charge", "dispute", "balance_transaction", "payout", "subscription", "refund"]
)
def test_newest_objects_are_the_extract(folder: Path, table: str) -> None:
    newest: dict[str, dict] = {}
    for path in whole_files(folder, f"stripe/{table}_20*.jsonl"):
        for line in path.read_text().splitlines():
            item = json.loads(line)
            if item["updated"] >= newest.get(item["id"], item)["updated"]:
                newest[item["id"]] = item
    for item in newest.values():
        del item["updated"]
    assert newest == {i["id"]: i for i in rows_of(folder)(f"extracts/stripe/{table}.jsonl")}


@pytest.mark.parametrize(
    ("table", "key", "stamp"), [("Account", "Id", "SystemModstamp"), ("Order", "Id", "SystemModstamp")]
)
def test_newest_rows_are_the_extract(folder: Path, table: str, key: str, stamp: str) -> None:
    newest: dict[str, dict] = {}
    for path in whole_files(folder, f"salesforce/{table}_*.csv"):
        for row in csv.DictReader(path.open()):
            if row[stamp] >= newest.get(row[key], row)[stamp]:
                newest[row[key]] = row
    assert newest == {r[key]: r for r in rows_of(folder)(f"extracts/salesforce/{table}.csv")}


def test_the_new_erp_holds_every_document_under_another_id(folder: Path) -> None:
    found = {
        r["id"]: r["tranid"]
        for p in whole_files(folder, "netsuite_2/transaction_20*.csv")
        for r in csv.DictReader(p.open())
    }
    extract = {r["id"]: r["tranid"] for r in rows_of(folder)("extracts/netsuite/transaction.csv")}
    assert sorted(found.values()) == sorted(extract.values())
    assert not set(found) & set(extract)
    assert max(p.parts[-3] for p in whole_files(folder, "netsuite/*")) < "2023-07-06"


def test_all_mishaps_happen_and_a_column_changes_its_name(folder: Path) -> None:
    kinds = {r["kind"] for r in rows_of(folder)("truth/drops.csv")}
    assert kinds == {"late", "redelivered", "overlap", "torn", "swapped", "renamed", "replaced"}
    heads = {
        p.parts[-1][-14:-4]: p.read_text().splitlines()[0] for p in whole_files(folder, "salesforce/Opportunity_*.csv")
    }
    assert {"Countersigned_On__c" in h for d, h in heads.items() if d >= "2024-02-15"} == {True}
    assert {"Signed_Date__c" in h for d, h in heads.items() if d < "2024-02-15"} == {True}


def test_an_unknown_rhythm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="batches"):
        generate(1, 0.005, "none", tmp_path / "x", batches="minute")
    assert list(tmp_path.iterdir()) == []
