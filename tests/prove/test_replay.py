"""However the same records are delivered, and however many hands load them: one content.

Belongs here: the same extracts shuffled, split, merged and sent again, on several numbers of threads and sizes of
batches, each compared with one plain delivery.  Does not belong here: crashes.
"""

import hashlib
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finpipe import ingest
from finpipe.build import build
from finpipe.conform import gate
from finpipe.demo.score import company_of
from finpipe.ingest import limits
from finpipe.publish import digest_tables
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems
from tests.line import load_and_conform
from tests.prove.deliveries import Delivery, older, otherwise, whole
from tests.prove.verdicts import Proof
from tests.published import SCALE, SEED, shared_folder

SYSTEMS = ("salesforce", "stripe", "bank")
#: What must differ: where and when a record came (``row`` of quarantine quotes it).
OF_DELIVERY = frozenset({"load_seq", "row_number", "recorded_at", "row"})
THREADS = (1, 2, 4)
#: Of how many shuffles one has its marts built and compared as well.
EVERY = 5
AS_OF = date(2025, 7, 15)
MARTS = ("marts", "reconciliation")
_OF_FILES = "rec_rows_read__rows_kept"


def extracts(systems: tuple[str, ...]) -> list[Delivery]:
    """The sample company, with a former state of each deal beside it."""
    plain = whole(PROJECT / "sources", systems)
    return plain + older(plain, "SystemModstamp", "2020-01-01T00:00:00.000Z", "Amount")


def content(root: Path, deliveries: list[Delivery], threads: int) -> tuple[Home, str]:
    """Land, load and conform deliveries in their order; the home, and one digest of what it then says."""
    home = Home(root / "home")
    home.root.mkdir(parents=True)
    (home.root / "finpipe.toml").write_text(f"threads = {threads}\n", encoding="utf-8")
    systems = find_systems(home)
    numbered = list(enumerate(deliveries))
    # One system after the other, the first that is delivered first: between systems the order says nothing.
    for name in dict.fromkeys(one.system for one in deliveries):
        paths = [one.write(root / "drop", number) for number, one in numbered if one.system == name]
        refused = [landed for landed in ingest.land(home, systems[name], paths) if landed.verdict == "refused"]
        assert not refused, refused
    report, _ = load_and_conform(home, systems)
    assert not report.refused, report.refused
    with ingest.open_raw(home) as (connection, _):
        said = [f"{k} {v}" for k, v in _raw(connection).items()]
    with ingest.open_warehouse(home) as (connection, _):
        digests = digest_tables(connection, ["canonical", "quarantine", "matching"], without=OF_DELIVERY)
        said += [f"{name} {found.rows} {found.digest}" for name, found in sorted(digests.items())]
    return home, "\n".join(said)


def _raw(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Digest of each raw table's distinct rows, wherever they came from."""
    found = {}
    for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name like 'raw%' order by all"
    ).fetchall():
        rows = connection.execute(
            f'select distinct columns(* exclude (_load_seq, _row)) from {schema}."{table}" order by all'
        ).fetchall()
        found[f"{schema}.{table}"] = f"{len(rows)} {hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}"
    return found


def differs(one: str, other: str) -> str:
    """The lines in which two contents differ."""
    return "; ".join(sorted(set(one.split("\n")) ^ set(other.split("\n"))))


@pytest.mark.prove_replay
def test_order_splits_resends_threads_and_batches_change_nothing(
    proof: Proof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = extracts(SYSTEMS if proof.is_full else SYSTEMS[:1])
    home, expected = content(tmp_path / "plain", plain, 2)
    marts = _marts(home) if proof.is_full else ""
    compared, shuffles = 0, proof.size(slice=1, full=20)
    for number in range(shuffles):
        if proof.is_over():
            break
        deliveries = list(otherwise(plain, proof.random))
        for threads in THREADS if proof.is_full else (1 + 3 * (number % 2),):
            monkeypatch.setattr(limits, "BATCH_FILES", proof.random.choice((1, 3, 25, 400)))
            monkeypatch.setattr(gate, "CHUNK_ROWS", proof.random.choice((7, 100, 200_000)))
            home, found = content(tmp_path / f"{number}-{threads}", deliveries, threads)
            proof.trials += 1
            if found != expected:
                proof.deviated(f"shuffle {number} on {threads} threads: {differs(found, expected)}")
        if proof.is_full and number % EVERY == 0:
            compared += 1
            if (built := _marts(home)) != marts:
                proof.deviated(f"marts of shuffle {number}: {differs(built, marts)}")
    done = proof.trials // len(THREADS) if proof.is_full else proof.trials
    proof.figures |= {"shuffles": done, "tables": expected.count("\n") + 1, "marts compared": compared}
    proof.conclude()


def _marts(home: Home) -> str:
    """Digests of what is built.

    An exception about a row that has no key names its file and row, and the reconciliation of rows read with rows kept
    counts by file: both may differ.
    """
    build(home, AS_OF)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"drop table reconciliation.{_OF_FILES}")
        connection.execute("delete from marts.reconciliations where reconciliation_id = 'R16' and leg = 'rows'")
        digests = digest_tables(connection, MARTS, without=OF_DELIVERY | {"left_key"})
    return "\n".join(f"{name} {found.rows} {found.digest}" for name, found in sorted(digests.items()))


@pytest.mark.prove_replay
def test_no_column_of_canonical_or_of_any_mart_is_a_float(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = company_of(shared_folder(tmp_path_factory), SEED, SCALE, "none")
    home = run.database.parents[2]
    for database in (home / "warehouse.duckdb", run.database):
        with duckdb.connect(str(database), read_only=True) as connection:
            columns = connection.execute(
                "select table_schema, table_name, column_name, data_type from information_schema.columns"
            ).fetchall()
        assert len(columns) > 500
        assert [c for c in columns if c[3].split("(")[0] in ("FLOAT", "DOUBLE", "REAL")] == []
