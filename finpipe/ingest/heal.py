"""Repairs before and after a load: the database is a cache of the landing zone and is brought back to it by itself.

Belongs here: noticing that ledger, raw tables, witness and descriptions do not fit, and what is then read again.
Does not belong here: telling a person (``verify``).
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from finpipe.ingest import ledger, limits, raw
from finpipe.ingest.landing import Manifest
from finpipe.settings import Home
from finpipe.systems import System
from finpipe.warehouse import connect, is_broken, is_of_the_disk, note_of, spill


@contextmanager
def open_raw(home: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
    """Open LOAD's database; a broken one is set aside first. Yields the connection and what was done.

    The caller holds the lock of raw: what a killed process left beside the database is swept here.
    """
    for draft in home.root.glob(f"{home.witness.name}.*"):
        draft.unlink()

    def probe(connection: duckdb.DuckDBPyConnection) -> None:
        ledger.create(connection)
        ledger.stored(connection)

    with _healed(home, home.raw, probe) as opened:
        yield opened


@contextmanager
def open_warehouse(home: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
    """Open the warehouse; a broken one is set aside first, as ``open_raw`` does. The caller holds the write lock."""
    with _healed(home, home.warehouse, lambda connection: connection.execute("select 1")) as opened:
        yield opened


@contextmanager
def _healed(
    home: Home, database: Path, probe: Callable[[duckdb.DuckDBPyConnection], object]
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[str]]]:
    done: list[str] = []
    shutil.rmtree(spill(home, database), ignore_errors=True)  # of a process that was killed
    if note_of(database).exists():
        done.append(set_aside(database, note_of(database).read_text(encoding="utf-8")))
    try:
        with connect(home, database) as connection:
            probe(connection)
    except duckdb.Error as problem:
        if not is_corruption(problem):
            raise
        done.append(set_aside(database, str(problem)))
    with connect(home, database) as connection:
        yield connection, done


def is_corruption(problem: duckdb.Error) -> bool:
    """Whether an error on opening says that the database file is broken (and not, say, that the disk is full)."""
    is_fatal = isinstance(problem, duckdb.SerializationException | duckdb.InternalException | duckdb.FatalException)
    return is_broken(str(problem)) or (is_fatal and not is_of_the_disk(str(problem)))


def set_aside(database: Path, why: str) -> str:
    """Rename a broken database to ``<name>.corrupt-<n>``; returns the sentence for the report.

    The log goes first: were it left beside a new database, a kill in between would have it replayed there.
    """
    name, folder = f"{database.stem}.corrupt-", database.parent
    numbers = sorted(int(n) for p in folder.glob(f"{name}*") if (n := p.name.rpartition("-")[2]).isdecimal())
    aside = folder / f"{name}{numbers[-1] + 1 if numbers else 1}"
    log = Path(f"{database}.wal")
    if log.exists():
        log.rename(f"{aside}.wal")
    if database.exists():
        database.rename(aside)
    note_of(database).unlink(missing_ok=True)
    for number in numbers[: 1 - limits.MOST_CORRUPT]:
        for old in folder.glob(f"{name}{number}*"):
            old.unlink()
    short = why.split("\n", 1)[0][:160]
    return f"{database.name} was broken ({short}); set aside as {aside.name} and made again from landing"


def prepare(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    landed: Sequence[Manifest],
    repairs: list[str],
    problems: list[str],
) -> None:
    """Drop what does not follow from the landing zone, so that it is loaded again."""
    connection.execute("begin transaction")
    stale = _stale(connection, systems)
    stale.update(_miscounted(connection, systems, set(stale)))
    _judge_chain(connection, systems, stale)
    _judge_witness(home, connection, systems, stale)
    for name, why in sorted(stale.items()):
        raw.drop(connection, name)
        repairs.append(f"{name} is read again from landing: {why}")
    for system in systems.values():
        raw.create(connection, system)
    if stale:
        ledger.chain(connection, 0)
    connection.execute("commit")
    _missing(connection, systems, landed, problems)


def conclude(
    home: Home, connection: duckdb.DuckDBPyConnection, systems: dict[str, System], problems: list[str]
) -> None:
    """Compare the head with the witness once more, and keep the new head outside the database."""
    if why := _against_witness(home, connection, systems):
        problems.append(f"even after reading everything again, {why}: was the landing zone changed?")
    ledger.write_witness(home, connection, specs(systems))


def specs(systems: dict[str, System]) -> str:
    """One fingerprint of all descriptions and the reader."""
    facts = [ledger.READER, *(f"{s.name}={s.fingerprint}" for s in systems.values())]
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()[:16]


def _stale(connection: duckdb.DuckDBPyConnection, systems: dict[str, System]) -> dict[str, str]:
    """Systems that were read under another description or by another reader."""
    rows = connection.execute("select distinct system, spec_version, code_version from ledger.loads").fetchall()
    stale = {}
    for name, spec, code in rows:
        if name not in systems:
            continue
        if code != ledger.READER:
            stale[name] = f"the reader changed ({code} → {ledger.READER})"
        elif spec != systems[name].fingerprint:
            stale[name] = "its description changed"
    for name, system in systems.items():
        if name not in stale and not _fits(connection, system):
            stale[name] = "its raw tables have other columns than its description"
    return stale


def _fits(connection: duckdb.DuckDBPyConnection, system: System) -> bool:
    """Whether raw tables that exist have the described columns."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ? and table_name in "
        "(select table_name from duckdb_tables() where schema_name = ?) order by table_name, column_index",
        [f"raw_{system.name}"] * 2,
    ).fetchall():
        found.setdefault(table, []).append(column)
    return all(
        name in system.tables and columns[: -raw.FACTS] == list(system.tables[name].column_names)
        for name, columns in found.items()
    )


def _miscounted(connection: duckdb.DuckDBPyConnection, systems: dict[str, System], known: set[str]) -> dict[str, str]:
    """Systems whose raw tables hold other rows than the ledger says."""
    found = {}
    for name, system in systems.items():
        if name in known:
            continue
        raw.create(connection, system)
        said = {
            (seq, table): rows
            for seq, table, rows in connection.execute(
                "select load_seq, table_name, rows from ledger.loaded_tables where system = ? and rows > 0",
                [name],
            ).fetchall()
        }
        if raw.counts(connection, system) != said:
            found[name] = "its raw tables hold other rows than the ledger says"
    return found


def _judge_chain(connection: duckdb.DuckDBPyConnection, systems: dict[str, System], stale: dict[str, str]) -> None:
    """When the chain is broken no row of the ledger can be believed: read everything again."""
    if ledger.computed(connection) != ledger.stored(connection):
        _all(systems, stale, "the chain of the load ledger is broken")


def _judge_witness(
    home: Home, connection: duckdb.DuckDBPyConnection, systems: dict[str, System], stale: dict[str, str]
) -> None:
    """A ledger that says something else than its witness is not believed; one that is merely behind is."""
    if not stale and (why := _against_witness(home, connection, systems)):
        _all(systems, stale, why)


def _against_witness(home: Home, connection: duckdb.DuckDBPyConnection, systems: dict[str, System]) -> str:
    """How the ledger contradicts its witness; empty when it does not, or the descriptions changed since."""
    witness = ledger.read_witness(home.witness)
    if not witness or witness.get("specs") != specs(systems):
        return ""
    hashes = {seq: own for seq, _, own in ledger.stored(connection)}
    said = hashes.get(witness.get("load_seq", 0))
    if said is not None and said != witness.get("hash"):
        return f"the ledger's hash of load {witness['load_seq']} is not the one that was witnessed"
    return ""


def _all(systems: dict[str, System], stale: dict[str, str], why: str) -> None:
    for name in systems:
        stale.setdefault(name, why)


def _missing(
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    landed: Sequence[Manifest],
    problems: list[str],
) -> None:
    """Say what the ledger knows and landing lacks, and what has no system to read it."""
    there = {m.order for m in landed}
    gone = [row[0] for row in ledger.stored(connection) if row[0] not in there]
    if gone:
        problems.append(
            f"{len(gone)} loaded files are gone from the landing zone (first: load {gone[0]}): restore them"
        )
    orphans = sorted({m.system for m in landed if m.system not in systems})
    if orphans:
        problems.append(f"landed files wait for systems that are not described: {', '.join(orphans)}")
