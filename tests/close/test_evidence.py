"""The evidence of a close: all that it follows from in plain files, and nothing in it changes unnoticed."""

import hashlib
import json
import platform
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finpipe.close import check_pack, write_pack
from finpipe.close.evidence import Pack
from finpipe.contracts import entities, version_of
from finpipe.policy import policy_of
from finpipe.settings import Home

TABLES = """
create table ledger.loads (load_seq bigint, system varchar, table_name varchar, original_name varchar, digest varchar,
    received_at timestamptz, bytes bigint, rows bigint, verdict varchar, reason varchar, spec_version varchar,
    hash varchar);
insert into ledger.loads values
    (2, 'bank', 'line', 'b,2.csv', 'd2', '2025-04-01 06:00:00+00', 5, 1, 'loaded', null, 's2', 'h2'),
    (1, 'bank', 'line', 'b1.csv', 'd1', '2025-03-01 06:00:00+00', 4, 1, 'loaded', '', 's1', 'h1');
create table ledger.row_accounts (load_seq bigint, rows bigint);
create table ledger.loaded_tables (load_seq bigint, system varchar, table_name varchar, rows bigint,
    stated_rows bigint, measure_sum decimal(38, 4), notes varchar);
create table staging.stg_control_totals (control_total_id varchar, subject varchar, scope varchar, entity varchar,
    starts_on date, stated_on date, currency varchar, stated_amount decimal(18, 4), stated_count bigint);
create table ledger.build_results (node varchar, status varchar);
create table ledger.builds (build bigint, code_version varchar);
insert into ledger.builds values (1, 'old'), (2, 'new');
create table marts.reconciliations (reconciliation_id varchar);
create table marts.exceptions (exception_id varchar);
create table staging.stg_decisions (decision_id varchar, kind varchar, subject varchar, decided_by varchar,
    decided_at timestamptz, as_of_on date, reason varchar, payload varchar);
create table canonical.payments (system varchar, valid_from timestamptz, recorded_at timestamptz);
insert into canonical.payments values ('bank', null, '2025-02-03 00:00:00+00');
create table canonical.invoices (system varchar, valid_from timestamptz, recorded_at timestamptz);
insert into canonical.invoices values ('erp', '2025-01-02 00:00:00+00', '2025-02-01 00:00:00+00'),
    ('erp', '2025-01-05 00:00:00+00', '2025-02-02 00:00:00+00');
"""
FILES = {
    "builds.csv", "checklist.json", "close.json", "control_sums.csv", "control_totals.csv", "decisions.csv",
    "exceptions.csv", "figures.csv", "manifest.json", "parameters.json", "reconciliations.csv", "row_counts.csv",
    "sources.csv", "tests.csv", "versions.json", "windows.csv",
}  # fmt: skip
Write = Callable[[], Pack]


@pytest.fixture
def written(home: Home, warehouse: duckdb.DuckDBPyConnection) -> Write:
    warehouse.execute(TABLES)
    figures = [{"id": "f1", "amount": 5, "ends_on": date(2025, 3, 31), "label": None}, {"id": "f2", "amount": 0,
               "ends_on": date(2025, 3, 31), "label": "Größe"}]  # fmt: skip

    def write() -> Pack:
        facts = {"close_id": "c1", "on": date(2025, 4, 2), "by": "Zoë"}
        return write_pack(home, warehouse, "c1-all", facts, [{"name": "x"}], figures, policy_of(home))

    return write


def test_a_pack_holds_all_that_the_close_follows_from(home: Home, written: Write) -> None:
    pack = written()
    assert pack.folder == home.closed / "c1-all"
    assert {p.name for p in pack.folder.iterdir()} == FILES
    assert {p.name for p in home.closed.iterdir()} == {"c1-all"}
    assert {oct(p.stat().st_mode & 0o777) for p in pack.folder.iterdir()} == {"0o444"}
    read = {name: (pack.folder / name).read_bytes().decode() for name in FILES}  # lines end as the hash has them
    assert read["close.json"] == '{\n  "close_id": "c1",\n  "on": "2025-04-02",\n  "by": "Zoë"\n}\n'
    assert json.loads(read["checklist.json"]) == [{"name": "x"}]
    assert read["figures.csv"] == "id,amount,ends_on,label\nf1,5,2025-03-31,\nf2,0,2025-03-31,Größe\n"
    assert read["sources.csv"] == (
        "load_seq,system,table_name,original_name,digest,received_at,bytes,rows,verdict,reason,spec_version,hash\n"
        "1,bank,line,b1.csv,d1,2025-03-01T06:00:00+00:00,4,1,loaded,,s1,h1\n"
        '2,bank,line,"b,2.csv",d2,2025-04-01T06:00:00+00:00,5,1,loaded,,s2,h2\n'
    )
    assert read["builds.csv"] == "build,code_version\n2,new\n"
    assert read["windows.csv"] == (
        "system,entity,rows,first_changed_at,last_changed_at,first_landed_at,last_landed_at\n"
        "bank,payments,1,,,2025-02-03T00:00:00+00:00,2025-02-03T00:00:00+00:00\n"
        "erp,invoices,2,2025-01-02T00:00:00+00:00,2025-01-05T00:00:00+00:00,2025-02-01T00:00:00+00:00,"
        "2025-02-02T00:00:00+00:00\n"
    )
    assert read["exceptions.csv"] == "exception_id\n"
    said = json.loads(read["parameters.json"])
    assert said["company"]["threads"] == 2
    assert set(said) == {"company", "policy"}
    assert not [name for name, words in said["policy"].items() if " object at 0x" in str(words)]


@pytest.mark.parametrize(("figures", "text"), [([], "\n"), ([{"id": "f1", "amount": 5}], "id,amount\nf1,5\n")])
def test_a_close_of_one_figure_or_none(
    home: Home, warehouse: duckdb.DuckDBPyConnection, figures: list[dict[str, object]], text: str
) -> None:
    warehouse.execute(TABLES)
    pack = write_pack(home, warehouse, "c0", {}, [], figures, policy_of(home))
    assert (pack.folder / "figures.csv").read_text() == text
    assert (pack.folder / "checklist.json").read_text() == "[]\n"


def test_versions_say_what_made_the_figures(home: Home, written: Write) -> None:
    said = json.loads((written().folder / "versions.json").read_text())
    assert {k: v for k, v in said.items() if k not in ("contracts", "finpipe")} == {
        "code": "new", "policy": policy_of(home).version, "systems": {"bank": "s2"}, "duckdb": duckdb.__version__,
        "python": platform.python_version(),
    }  # fmt: skip
    assert said["contracts"] == {name: version_of(entity) for name, entity in entities().items()}
    assert said["finpipe"]


def test_the_hash_is_over_all_files_and_anybody_can_compute_it(written: Write) -> None:
    pack = written()
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}"
        for p in sorted(pack.folder.iterdir())
        if p.name != "manifest.json"
    ]
    assert pack.hash == hashlib.sha256("\n".join(lines).encode()).hexdigest()
    said = json.loads((pack.folder / "manifest.json").read_text())
    assert said["hash"] == pack.hash
    assert set(said["files"]) == FILES - {"manifest.json"}
    assert check_pack(pack.folder, pack.hash) == []


def test_what_a_stopped_close_left_is_replaced(home: Home, written: Write) -> None:
    """And the same state gives the same hash: nothing of a process (an address, a time) is in a pack."""
    left = home.closed / ".draft-c1-all" / "half.csv"
    left.parent.mkdir(parents=True)
    left.write_text("x")
    first = written()
    (first.folder / "more.csv").write_text("x")
    assert written() == first
    assert check_pack(first.folder, first.hash) == []


def _change(folder: Path) -> None:
    (folder / "figures.csv").chmod(0o644)
    (folder / "figures.csv").write_text("id\n")


def _change_and_sign(folder: Path) -> None:
    """Somebody who also writes the file's new digest into the manifest."""
    _change(folder)
    (folder / "manifest.json").chmod(0o644)
    said = json.loads((folder / "manifest.json").read_text())
    said["files"]["figures.csv"] = hashlib.sha256(b"id\n").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(said))


def _state_another_hash(folder: Path) -> None:
    (folder / "manifest.json").chmod(0o644)
    said = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(said | {"hash": "0" * 64}))


ANOTHER = "the evidence of c1-all is not the one that was signed: its hash is another"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "manifest.json").unlink(), "the evidence of c1-all is gone"),
        (lambda f: (f / "tests.csv").unlink(), "evidence c1-all lost its file tests.csv"),
        (lambda f: (f / "a.csv").write_text(""), "evidence c1-all has a file that nobody signed: a.csv"),
        (_change, "evidence c1-all: figures.csv was changed after it was signed"),
        (_change_and_sign, ANOTHER),
        (_state_another_hash, ANOTHER),
    ],
)
def test_whatever_is_done_to_a_pack_is_named(written: Write, spoil: Callable[[Path], object], said: str) -> None:
    pack = written()
    spoil(pack.folder)
    assert check_pack(pack.folder, pack.hash) == [said]


def test_a_pack_that_another_hash_was_signed_for_is_not_believed(written: Write) -> None:
    pack = written()
    assert check_pack(pack.folder, "f" * 64) == [ANOTHER]
