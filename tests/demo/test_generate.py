"""The same arguments give the same bytes; wrong ones a clear error and nothing written; faults are what is listed."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.demo import FAULT_CODES, DemoError, generate

from .conftest import Rows


def digest(folder: Path) -> str:
    """Hash every file's name and bytes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    lines = [f"{p.relative_to(folder)} {hashlib.sha256(p.read_bytes()).hexdigest()}" for p in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_same_arguments_give_the_same_bytes_in_another_process(faulty_folder: Path, tmp_path: Path) -> None:
    call = f"generate(7, 0.01, 'all', Path({str(tmp_path / 'b')!r}))"
    code = f"from finpipe.demo import generate; from pathlib import Path; {call}"
    env = os.environ | {"PYTHONHASHSEED": "12345", "POLARS_MAX_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=Path(__file__).parents[2])
    assert digest(tmp_path / "b") == digest(faulty_folder)


def test_another_seed_gives_another_company(clean_folder: Path, tmp_path: Path) -> None:
    other = generate(8, 0.01, "none", tmp_path / "other").out
    assert digest(other) != digest(clean_folder)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"scale": 0}, "scale"),
        ({"scale": -1.0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"scale": float("inf")}, "at most"),
        ({"faults": "INV-NONSENSE"}, "INV-NONSENSE"),
        ({"faults": ""}, "empty"),
        ({"faults": "INV-DUP,,PAY-DUP"}, "empty"),
    ],
)
def test_wrong_arguments_are_named_and_leave_nothing(tmp_path: Path, arguments: dict, word: str) -> None:
    with pytest.raises(DemoError, match=word):
        generate(**{"seed": 1, "scale": 0.005, "faults": "none", "out": tmp_path / "x", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_an_output_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("keep")
    with pytest.raises(DemoError, match="exists"):
        generate(1, 0.005, "none", tmp_path / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x" / "mine.txt").read_text() == "keep"


def test_an_output_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DemoError, match="cannot be made"):
        generate(1, 0.005, "none", tmp_path / "file" / "x")


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("finpipe.demo.build.across_all", broken)
    with pytest.raises(RuntimeError, match="fire"):
        generate(1, 0.005, "none", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_clean_twin_lists_no_fault(clean: Rows) -> None:
    assert clean("truth/faults.csv") == []


def test_every_code_is_planted_several_times(faulty: Rows) -> None:
    counts = Counter(r["code"] for r in faulty("truth/faults.csv"))
    assert set(counts) == set(FAULT_CODES)
    assert min(counts.values()) >= 2
    assert {r["currency"] for r in faulty("truth/faults.csv")} == {"USD", "GBP", "EUR", "JPY", "KWD"}


def test_every_code_that_policy_knows_is_planted() -> None:
    """A code without a planted fault would be one whose recall nobody knows."""
    listed = (Path(__file__).parents[2] / "policies" / "exception_codes.csv").read_text().splitlines()[1:]
    assert sorted(FAULT_CODES) == sorted(line.partition(",")[0] for line in listed)


def test_faults_leave_the_truth_alone(clean_folder: Path, faulty_folder: Path) -> None:
    for path in sorted((clean_folder / "truth").glob("*.csv")):
        if path.name != "faults.csv":
            assert path.read_bytes() == (faulty_folder / "truth" / path.name).read_bytes(), path.name


def test_ledger_faults_are_the_only_ones_that_unbalance(faulty: Rows) -> None:
    found: Counter[str] = Counter()
    for r in faulty("extracts/netsuite/transactionaccountingline.csv"):
        found[r["transaction"]] += Decimal(r["amount"])  # type: ignore[assignment]
    planted = {r["record_id"]: Decimal(r["amount"]) for r in faulty("truth/faults.csv") if r["code"] == "JE-UNBALANCED"}
    assert {k: v for k, v in found.items() if v} == planted


def test_only_listed_bank_lines_differ(clean: Rows, faulty: Rows) -> None:
    counts = Counter(r["code"] for r in faulty("truth/faults.csv"))
    before, after = (
        Counter(r["end_to_end_reference"] for r in rows("extracts/bank/statement.csv")) for rows in (clean, faulty)
    )
    assert sum((before - after).values()) == counts["SEQ"] + counts["PAYOUT-TRANSIT"]
    assert sum((after - before).values()) == counts["BANK-UNKNOWN"]


def test_erp_documents_appear_and_vanish_only_as_listed(clean: Rows, faulty: Rows) -> None:
    counts = Counter(r["code"] for r in faulty("truth/faults.csv"))
    before, after = ({r["id"] for r in rows("extracts/netsuite/transaction.csv")} for rows in (clean, faulty))
    vanished = sum(r["code"] == "DEL-UNSEEN" and r["system"] == "netsuite" for r in faulty("truth/faults.csv"))
    gone = ("INV-MISSING-ERP", "INV-VOID-OPEN", "PAY-MISSING", "ORD-MISSING", "IC-UNPAIRED")
    more = ("INV-MISSING-BILL", "INV-DUP", "PAY-DUP", "JE-MANUAL-CONTROL", "JE-CLOSED-PERIOD", "REV-UNPLANNED")
    assert len(before - after) == vanished + sum(counts[code] for code in gone)
    assert len(after - before) == sum(counts[code] for code in more)


def test_one_code_alone_is_all_that_is_planted(tmp_path: Path) -> None:
    summary = generate(3, 0.01, "pay-missing, INV-DUP", tmp_path / "x")
    assert set(summary.faults) == {"PAY-MISSING", "INV-DUP"}


def test_native_data_has_no_marker_of_a_fault(faulty_folder: Path) -> None:
    for path in (faulty_folder / "extracts").rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not [code for code in FAULT_CODES if code in text and code != "SEQ"], path.name


def test_blocks_make_the_same_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a customer lives does not depend on how many accounts are held in memory at once."""
    whole = generate(4, 0.01, "none", tmp_path / "whole").out
    monkeypatch.setattr("finpipe.demo.build.BLOCK", 50)
    parts = generate(4, 0.01, "none", tmp_path / "parts").out
    for path in (whole / "truth").glob("*.csv"):
        other = (parts / "truth" / path.name).read_text()
        assert sorted(path.read_text().splitlines()) == sorted(other.splitlines()), path.name


def test_misshapen_files_repeat_a_table_that_is_there_whole(faulty_folder: Path, faulty: Rows) -> None:
    sent = [r for r in faulty("truth/faults.csv") if r["code"] in ("DQ-SCHEMA", "DRIFT-BREAKING")]
    extra = {p.name for p in (faulty_folder / "extracts").glob("*/*_2024-12-31.*")}
    assert {r["related_id"] for r in sent} == extra
    assert {r["code"] for r in sent} == {"DQ-SCHEMA", "DRIFT-BREAKING"}


def test_a_company_with_misshapen_files_can_be_delivered_in_drops(tmp_path: Path) -> None:
    out = generate(2, 0.005, "DQ-SCHEMA,DRIFT-BREAKING", tmp_path / "x", batches="day").out
    name = "netsuite/item_2024-12-31.csv"
    assert (out / "drops" / "2024-12-31" / name).read_bytes() == (out / "extracts" / name).read_bytes()
