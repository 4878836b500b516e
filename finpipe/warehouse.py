"""The one door to the working databases: who may open them, with which settings, and which schemas they have.

Belongs here: connections, locks, the schemas.
Does not belong here: SQL of any stage, beyond what several stages must ask alike.
DuckDB lets one *process* write a file, and a reader in another process blocks it: so nobody else opens these files;
analysts and pages read the published copies. LOAD has a file of its own, so that no build keeps it waiting.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from finpipe.errors import BusyError
from finpipe.settings import Home

#: Schemas that the warehouse has from the start. LOAD's file has ``ledger``; ``raw_<system>`` come with their files.
SCHEMAS = (
    "ledger",
    "reference",
    "canonical",
    "quarantine",
    "matching",
    "marts",
    "reconciliation",
    "staging",
    "intermediate",
)

#: Words of DuckDB that say that its file is damaged.
_BROKEN = (
    "checksum",
    "Corrupt",
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Failure while replaying WAL",
    "Serialization Error",
)
#: A full or failing disk may come back; what is on it is whole.
_OF_THE_DISK = ("No space left", "Input/output error", "fsync failed")

#: Errors that are rarely the mistake of whoever wrote the SQL. The last two leave a database that answers nothing more.
_OF_THE_MACHINE = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.InternalException,
    duckdb.FatalException,
)

#: Files that could not be read and that no later file of their name made good.
STILL_REFUSED = """
    select bad.* from ledger.loads as bad
    where bad.verdict = 'refused' and not exists (
        select 1 from ledger.loads as good
        where good.system = bad.system and good.original_name = bad.original_name
            and good.load_seq > bad.load_seq and good.verdict = 'loaded')"""


@contextmanager
def write_lock(home: Home) -> Iterator[None]:
    """Hold the only right to write the warehouse; raises ``BusyError`` at once when another process has it."""
    with _locked(home, home.lock):
        yield


@contextmanager
def raw_lock(home: Home) -> Iterator[None]:
    """Hold the only right to open LOAD's file; raises ``BusyError`` at once when another process has it.

    Who needs both locks takes this one second.
    """
    with _locked(home, home.raw_lock):
        yield


@contextmanager
def _locked(home: Home, lock: Path) -> Iterator[None]:
    home.root.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise BusyError(
                "another run is writing",
                where=str(home.root),
                got=f"process {handle.read().strip() or '?'}",
                fix="wait until it ends and try again",
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


@contextmanager
def connect(home: Home, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse (or another file of the same kind) with the company's limits.

    Damage shows only where a block is read: whoever meets it in a working database leaves a note, and the next step
    that writes the file sets it aside.
    """
    target = path or home.warehouse
    try:
        with _opened(home, target) as connection:
            yield connection
    except duckdb.Error as problem:
        if target in (home.warehouse, home.raw):
            note_broken(target, str(problem))
        raise


@contextmanager
def reading_raw(home: Home, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """See LOAD's file as catalog ``raw`` beside the warehouse that is open; the caller holds its lock.

    It is attached for writing, though nobody writes: what a kill left in its log is replayed. Who meets damage while
    both are open cannot tell where it is, and notes both.
    """
    try:
        connection.execute(f"attach {literal(home.raw)} as raw")
        yield
        connection.execute("detach raw")
    except duckdb.Error as problem:
        note_broken(home.raw, str(problem))
        raise


@contextmanager
def _opened(home: Home, target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    target.parent.mkdir(parents=True, exist_ok=True)
    home.scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        str(target),
        config={
            "memory_limit": home.config.memory_limit,
            "threads": home.config.threads,
            "temp_directory": str(spill(home, target)),
            "preserve_insertion_order": False,
        },
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        for schema in ("ledger",) if target == home.raw else SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        yield connection
        connection.execute("checkpoint")  # closing does it as well, and says nothing when the disk fails
    finally:
        connection.close()


def spill(home: Home, database: Path) -> Path:
    """Where DuckDB puts what does not fit into memory; it makes this folder when it needs it, but none above."""
    return home.scratch / f"spill-{database.stem}"


def is_broken(text: str) -> bool:
    """Whether DuckDB's words say that its file is damaged."""
    return any(words in text for words in _BROKEN) and not is_of_the_disk(text)


def is_of_the_disk(text: str) -> bool:
    """Whether DuckDB's words blame the disk and not the file on it."""
    return any(words in text for words in _OF_THE_DISK)


def raise_of_machine(problem: duckdb.Error) -> None:
    """Raise an error again that is a damaged file's or the machine's fault (disk, memory), before it is taken for the
    mistake of whoever wrote the SQL."""
    is_missing_file = "No files found" in str(problem)  # one that the SQL names
    if is_broken(str(problem)) or (isinstance(problem, _OF_THE_MACHINE) and not is_missing_file):
        raise problem


def note_of(database: Path) -> Path:
    """Word that a database is damaged, beside it."""
    return database.with_suffix(".broken")


def note_broken(database: Path, text: str) -> None:
    """Leave word for the next step that writes a database, when DuckDB's words say that it is damaged."""
    if is_broken(text):
        with suppress(OSError):  # no room for a note: whoever meets the damage next leaves one
            note_of(database).write_text(text.split("\n", 1)[0] + "\n", encoding="utf-8")


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """An SQL literal of a text, number or null."""
    if value is None:
        return "null"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
