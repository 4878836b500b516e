"""The database is a cache: whatever happens to it, the same ledger comes out of landing; tampering is named."""

import shutil
from pathlib import Path

import duckdb
import pytest

from finpipe.ingest import load, open_raw, raw, verify
from finpipe.ingest.heal import is_corruption
from finpipe.ingest.landing import manifests
from finpipe.systems import TAKEN
from finpipe.warehouse import connect, note_of
from tests.ingest.conftest import Company


def filled(company: Company) -> Company:
    for i in range(3):
        company.take(f"customer_{i}.csv", f"id,name\nc{i},x\n")
    company.load()
    return company


def problems(company: Company) -> list[str]:
    with open_raw(company.home) as (connection, _):
        return verify(company.home, connection)


def test_what_was_loaded_verifies(company: Company) -> None:
    assert problems(filled(company)) == []


def test_a_deleted_database_is_rebuilt_to_the_same_hashes(company: Company) -> None:
    before = filled(company).hashes()
    company.home.raw.unlink()
    assert company.load().problems == []
    assert company.hashes() == before
    assert problems(company) == []


def test_an_old_backup_catches_up_to_the_same_hashes(company: Company, tmp_path: Path) -> None:
    company.take("customer_a.csv", "id,name\na,x\n")
    company.load()
    shutil.copy(company.home.raw, tmp_path / "backup")
    before = filled(company).hashes()
    shutil.copy(tmp_path / "backup", company.home.raw)
    assert "lost its tail" in problems(company)[0]
    assert company.load().problems == []
    assert company.hashes() == before


def test_a_broken_database_file_is_set_aside_and_rebuilt(company: Company) -> None:
    before = filled(company).hashes()
    with company.home.raw.open("r+b") as file:
        file.seek(0)
        file.write(b"\x5a" * 20_000)
    with open_raw(company.home) as (_, done):
        assert "set aside as raw.corrupt-1" in done[0]
    assert company.load().rows == 3
    assert company.hashes() == before


def test_damage_met_midway_is_noted_and_the_next_load_sets_the_file_aside(company: Company) -> None:
    before = filled(company).hashes()
    with pytest.raises(duckdb.Error), connect(company.home, company.home.raw):
        raise duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2")
    with open_raw(company.home) as (_, done):
        assert "computed checksum 1" in done[0]
        assert "set aside as raw.corrupt-1" in done[0]
    assert not note_of(company.home.raw).exists()
    assert company.load().rows == 3
    assert company.hashes() == before


@pytest.mark.parametrize("said", ["IO Error: No space left on device", "Corrupt WAL: No space left on device", "x"])
def test_a_full_disk_is_no_damage(company: Company, said: str) -> None:
    filled(company)
    with pytest.raises(duckdb.Error), connect(company.home, company.home.raw):
        raise duckdb.IOException(said)
    with open_raw(company.home) as (_, done):
        assert done == []


def test_a_failing_disk_sets_no_database_aside() -> None:
    assert not is_corruption(duckdb.FatalException("FATAL Error: fsync failed!"))
    assert is_corruption(duckdb.FatalException("FATAL Error: invalid pointer"))


def test_what_a_killed_load_left_is_swept(company: Company) -> None:
    filled(company)
    draft = company.home.root / "witness.json.4711"
    spilled = company.home.scratch / "spill-raw" / "duckdb_temp_storage-0.tmp"
    folder = company.home.scratch / "load-1"
    for path in (draft, spilled, folder / "part.parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    company.load()
    assert not [path for path in (draft, spilled, folder) if path.exists()]


def test_rows_taken_from_raw_are_noticed_and_read_again(company: Company) -> None:
    before = filled(company).hashes()
    company.query("delete from raw_shop.customer where _load_seq = 2")
    assert problems(company) == ["shop.customer has 0 rows of load 2, the ledger says 1"]
    assert company.load().repairs == [
        "shop is read again from landing: its raw tables hold other rows than the ledger says"
    ]
    assert company.hashes() == before
    assert problems(company) == []


def test_no_described_column_takes_the_name_of_a_fact() -> None:
    assert {*raw._FACTS, "rowid"} == set(TAKEN)


@pytest.mark.parametrize("view", ["latest_shop.customer", "superseded_shop.customer"])
def test_a_table_whose_view_was_never_made_gets_it(company: Company, view: str) -> None:
    filled(company)
    company.query(f"drop view {view}")
    company.load()
    assert company.query("select count(*) from latest_shop.customer") == [(3,)]


def test_a_ledger_written_by_hand_is_noticed_and_read_again(company: Company) -> None:
    before = filled(company).hashes()
    company.query("update ledger.loads set original_name = 'other.csv' where load_seq = 2")
    assert "breaks at load 2" in problems(company)[0]
    assert company.load().repairs == ["shop is read again from landing: the chain of the load ledger is broken"]
    assert company.hashes() == before


def test_a_changed_landed_file_is_named(company: Company) -> None:
    filled(company)
    data = manifests(company.home)[1].path(company.home)
    data.chmod(0o644)
    data.write_text("id,name\nc1,y\n")
    assert problems(company) == [
        "the landed file of shop customer_1.csv (load 2) was changed: its bytes do not give its digest"
    ]


def test_a_landed_file_that_is_gone_is_named(company: Company) -> None:
    filled(company)
    manifest = manifests(company.home)[0]
    data = manifest.path(company.home)
    data.unlink()
    (data.parent / f"{manifest.sha256}.json").unlink()
    assert problems(company) == ["load 1 is in the ledger and has no landed file"]
    assert "gone from the landing zone" in company.load().problems[0]


def test_files_of_a_system_that_is_not_described_wait(company: Company) -> None:
    company.take("customer.csv", "id,name\nc,x\n")
    with open_raw(company.home) as (connection, _):
        report = load(company.home, connection, {})
    assert report.files == []
    assert "shop" in report.problems[0]
    assert company.load().rows == 1
