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
        for member in set(item.get("metadata") or {}) & {"erp_customer_id", "erp_invoice_id"}:
            item["metadata"][member] = former(item["metadata"][member])
    assert newest == {i["id"]: i for i in rows_of(folder)(f"extracts/stripe/{table}.jsonl")}


@pytest.mark.parametrize(
    ("table", "key", "stamp"), [("Account", "Id", "SystemModstamp"), ("Order", "Id", "SystemModstamp")]
)
def test_newest_rows_are_the_extract(folder: Path, table: str, key: str, stamp: str) -> None:
    newest: dict[str, dict] = {}
    for path in whole_files(folder, f"salesforce/{table}_*.csv"):
        for row in csv.DictReader(path.open()):
            if row[stamp] >= newest.get(row[key], row)[stamp]:
                newest[row[key]] = (
                    row | {"ERP_Customer_Id__c": former(row["ERP_Customer_Id__c"])} if "Name" in row else row
                )
    assert newest == {r[key]: r for r in rows_of(folder)(f"extracts/salesforce/{table}.csv")}


def former(id_: str) -> str:
    """The id a record would have had in the old ERP, whether it is shown under that one or the new one."""
    return str(int(id_[1:])) if len(id_) == 12 and id_.startswith("9") else id_


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


def test_records_that_moved_state_their_former_id_and_later_ones_none(folder: Path) -> None:
    rows = [
        r for p in whole_files(folder, "netsuite_2/transaction_20*.csv") for r in csv.DictReader(p.open(newline=""))
    ]
    assert {(r["createddate"] < "2023-07-01", r["custbody_former_id"] != "") for r in rows} == {
        (True, True),
        (False, False),
    }
    assert all(former(r["id"]) == r["custbody_former_id"] for r in rows if r["custbody_former_id"])


def test_other_systems_name_a_record_by_the_id_of_the_day_it_was_made(folder: Path) -> None:
    made = {r["id"]: r["createddate"] for r in rows_of(folder)("extracts/netsuite/transaction.csv")}
    named = {
        former(r["ERP_Order_Id__c"]): r["ERP_Order_Id__c"]
        for p in whole_files(folder, "salesforce/Opportunity_*.csv")
        for r in csv.DictReader(p.open(newline=""))
        if r["ERP_Order_Id__c"]
    }
    assert {(made[old] < "2023-07-01", new == old) for old, new in named.items()} == {(True, True), (False, False)}
    said = {r["record"]: r["erp_id"] for r in rows_of(folder)("truth/erp_ids.csv")}
    assert {old: new for old, new in named.items() if new != old}.items() <= said.items()
    assert set(said) == {old for old, day in made.items() if day >= "2023-07-01"}


def test_the_configuration_comes_with_the_drop_that_needs_it(folder: Path) -> None:
    found = {p.parent.name: p.read_text() for p in (folder / "drops").glob("*/finpipe.toml")}
    assert sorted(found) == ["2023-01-01", "2023-07-01", "2024-02-16"]
    assert ["netsuite_2" in found[d] for d in sorted(found)] == [False, True, True]
    assert ["Countersigned_On__c" in found[d] for d in sorted(found)] == [False, False, True]
    assert found["2023-01-01"] == (folder / "finpipe.toml").read_text()


def test_mishaps_can_be_chosen_and_drops_hold_a_month(tmp_path: Path) -> None:
    made = generate(5, 0.005, "none", tmp_path / "x", batches="month", mishaps="late, torn").out
    assert {r["kind"] for r in rows_of(made)("truth/drops.csv")} <= {"late", "torn"}
    drops = sorted(p.name for p in (made / "drops").iterdir())
    assert (len(drops), drops[0], drops[-1]) == (24, "2023-01", "2024-12")
    assert not list((made / "drops").glob("*/netsuite_2"))
    with pytest.raises(DemoError, match="unknown mishap lost"):
        generate(5, 0.005, "none", tmp_path / "y", batches="month", mishaps="late,lost")


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
