"""The benchmark works and compares equal things; nothing here looks at a clock."""

import json
import os
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finpipe.build import kept
from tools.bench import batches, docs, reconciliations
from tools.bench.__main__ import main
from tools.bench.batches import _correct, _join
from tools.bench.compare import SUBJECTS
from tools.bench.measure import Cost
from tools.bench.others.environments import versions
from tools.bench.others.tables import differences
from tools.bench.others.ways import OTHERS
from tools.bench.plot import Bar, bars
from tools.bench.processes import AS_OF
from tools.bench.run import WAYS


@pytest.mark.skipif(
    os.environ.get("FINPIPE_PROVE") != "full", reason="the bench runs the pipeline five times: FINPIPE_PROVE=full"
)
def test_the_bench_completes_and_totals_agree(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A result is printed only when rows by file and all totals agree."""
    small = ["--scale", "0.001", "--repetitions", "1", "--questions", "8", "--customers", "200"]
    assert main([*small, "--json", "--work", str(tmp_path / "work")]) == 0
    said = json.loads(capfd.readouterr().out)
    assert set(said["costs"]) == set(WAYS)
    assert said["rows"] > 0
    for subject in SUBJECTS:
        assert Decimal(said["totals"][subject]["rows"]) > 0, f"{subject} up to {AS_OF} has no rows"
    assert all(cost["peak_memory_bytes"] > 0 for cost in said["costs"].values())
    assert set(said["questions"]) == {"trace", "trace of a payout", "one customer"}
    assert {"loading", "freshness", "new_extracts"} <= set(said["ticks"])
    assert said["matching"]


def test_every_statement_by_hand_is_of_a_reconciliation_that_there_is() -> None:
    legs = {Path(m.path).stem for m in kept().in_order}
    assert reconciliations.written().keys() <= legs
    assert all(sql.lower().startswith(("with ", "select ")) for sql in reconciliations.written().values())


def test_both_ways_are_told_leg_by_leg_and_where_they_disagree() -> None:
    engine = {"rec_debits__credits": [0.4, 7, 0, 0, 1], "rec_days__rates": [0.2, 3, 1, 0, 0]}
    by_hand = {"rec_debits__credits": [0.2, 7, 0, 0, 1], "rec_days__rates": [0.1, 3, 0, 0, 0]}
    legs = reconciliations.compared(engine, by_hand)
    assert [(leg.is_written, leg.agrees) for leg in legs] == [(True, True), (False, False)]
    assert "| **all** | 0.60 | 0.30 | 2.0 |  | 1 of 2 |" in reconciliations.told(legs)


# ── what others loaded is held against the files ─────────────────────────────────────────────────────────────────


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "crm__Account.csv").write_text(
        "Id,Parent__c,Amount,Made\n0012,,10.50,2024-01-31T10:00:00Z\n7,0012,-2,2024-02-01T10:00:00Z\n"
    )
    return folder


def loaded(tmp_path: Path, types: str, rows: str) -> Path:
    path = tmp_path / "loaded.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw")
        connection.execute(f"create table raw.crm__account ({types}, _loaded_at integer)")
        connection.execute(f"insert into raw.crm__account {rows}")
    return path


TYPED = "id varchar, parent_c varchar, amount double, made timestamp"


def test_typed_columns_are_the_same_table(tmp_path: Path, files: Path) -> None:
    rows = "values ('0012', '', 10.5, '2024-01-31 10:00:00', 1), ('7', '0012', -2, '2024-02-01 10:00:00', 1)"
    assert differences(files, loaded(tmp_path, TYPED, rows)) == []


@pytest.mark.parametrize(
    ("types", "rows", "said"),
    [
        (TYPED, "values ('12', null, 10.5, '2024-01-31', 1), ('7', '12', -2, '2024-02-01', 1)", "texts of Id"),
        (TYPED, "values ('0012', '', 10.5, null, 1), ('7', '0012', -2, '2024-02-01', 1)", "filled Made"),
        (TYPED, "values ('0012', '', 10.4, '2024-01-31', 1), ('7', '0012', -2, '2024-02-01', 1)", "sum of Amount"),
        (TYPED, "values ('0012', '', 10.5, '2024-01-31', 1)", "rows"),
    ],
)
def test_what_a_tool_changed_is_told(tmp_path: Path, files: Path, types: str, rows: str, said: str) -> None:
    assert any(said in sentence for sentence in differences(files, loaded(tmp_path, types, rows)))


def test_every_tool_has_its_versions_pinned() -> None:
    for other in OTHERS:
        assert versions(other.environment, other.packages)


# ── a company, cut at a day ──────────────────────────────────────────────────────────────────────────────────────


def test_drops_are_joined_into_one_file_with_one_header(tmp_path: Path) -> None:
    for day, row in (("2024-01-01", "1,a"), ("2024-01-02", "2,b")):
        (tmp_path / day / "erp").mkdir(parents=True)
        (tmp_path / day / "erp" / f"customer_{day}.csv").write_text(f"id,name\n{row}\n")
    _join(sorted(tmp_path.iterdir()), tmp_path / "history")
    assert (tmp_path / "history" / "erp" / "customer.csv").read_text() == "id,name\n1,a\n2,b\n"


def test_a_correction_puts_off_one_due_date(tmp_path: Path) -> None:
    (tmp_path / "netsuite").mkdir()
    header = "id,type,trandate,duedate,voided,lastmodifieddate\n"
    (tmp_path / "netsuite" / "transaction.csv").write_text(
        header
        + "1,CustInvc,2024-10-01,2024-10-31,F,2024-10-01 09:00:00\n2,CustPymt,2024-10-02,,F,2024-10-02 09:00:00\n"
    )
    _correct(tmp_path, tmp_path / "correction")
    told = (tmp_path / "correction" / "netsuite" / "transaction_2024-11-13.csv").read_text()
    assert told == header + "1,CustInvc,2024-10-01,2024-12-13,F,2024-11-13 09:00:00\n"


def test_the_home_of_the_day_before_is_copied_with_its_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "run_finpipe", lambda *_: Cost(1.0, 1.0, 1))
    company = batches.Company.at(tmp_path / "whole")
    (company.base / "published" / "1").mkdir(parents=True)
    (company.base / "published" / "current").symlink_to("1")
    (company.drop / "erp").mkdir(parents=True)
    (company.drop / "erp" / "customer.csv").write_text("id\n1\n")
    batches._next(tmp_path, company, company.drop, "day")
    assert (tmp_path / "day" / "published" / "current").is_symlink()
    assert (tmp_path / "day" / "inbox" / "erp" / "customer.csv").exists()


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_section_replaces_itself_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n<!-- bench: ways -->\nold\n<!-- bench: end of ways -->\nlast\n")
    monkeypatch.setattr(docs, "PAGE", page)
    docs.write_sections({"ways": "new\n"})
    assert page.read_text() == "# A\n<!-- bench: ways -->\nnew\n<!-- bench: end of ways -->\nlast\n"
    with pytest.raises(KeyError):
        docs.write_sections({"others": "new\n"})


def test_the_page_has_a_place_for_every_section() -> None:
    said = docs.PAGE.read_text(encoding="utf-8")
    for name in ("ways", "others", "asked", "batches", "profiles"):
        assert said.index(f"<!-- bench: {name} -->") < said.index(f"<!-- bench: end of {name} -->")


def test_the_longest_bar_ends_where_its_figure_begins() -> None:
    drawn = bars("Loading", "s", [Bar("one & two", 2.0, 1.0, 4.0), Bar("other", 1.0, 1.0, 1.0, "wrong")])
    assert "one &amp; two" in drawn
    assert "2.0 s" in drawn
    assert "incorrect" in drawn
    assert 'x2="750.0"' in drawn
