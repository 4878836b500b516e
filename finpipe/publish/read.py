"""How published snapshots are found and read.

Belongs here: everything an analyst's question needs.  Does not belong here: anything that writes.
``read_only`` alone still lets SQL read any file and write through COPY, so outside access is closed and locked.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from finpipe.errors import FinpipeError
from finpipe.settings import Home

DATABASE = "finance.duckdb"
#: How often a reader looks for the publication in force when the one it found is taken away before it is open.
MOST_LOOKS = 20


class Answer(NamedTuple):
    """Column names and rows of a question's answer, and the folder that it was asked of."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    folder: Path


def publications(home: Home) -> list[int]:
    """Numbers of all publications that are kept, oldest first."""
    if not home.published.is_dir():
        return []
    return sorted(int(p.name) for p in home.published.iterdir() if p.name.isdecimal())


def current(home: Home) -> Path | None:
    """Folder of the publication in force, by its number; none before the first."""
    link = home.published / "current"
    return link.resolve() if (link / "manifest.json").exists() else None


def manifest_of(folder: Path) -> dict[str, Any]:
    """What a publication says of itself."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


class Held(NamedTuple):
    """One publication, pinned, whatever is put in force or removed meanwhile."""

    folder: Path
    manifest: dict[str, Any]
    connection: duckdb.DuckDBPyConnection


@contextmanager
def reading(home: Home, snapshot: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the publication in force, or to a snapshot, that can read it and nothing else.

    Raises ``FinpipeError`` when nothing is published yet, or no snapshot is there.
    """
    with holding(home, snapshot) as held:
        yield held.connection


@contextmanager
def holding(home: Home, snapshot: Path | None = None) -> Iterator[Held]:
    """The same with its folder and manifest, for what is read together must be of one publication."""
    held = _opened(home, snapshot)
    try:
        _lock(held.connection)
        yield held
    finally:
        held.connection.close()


def _opened(home: Home, snapshot: Path | None) -> Held:
    """Open a snapshot, or what is in force: a publication that retention took between look and open is looked for
    again, and an open one stays readable when its files are removed."""
    if snapshot is not None:
        if not (snapshot / DATABASE).is_file():
            raise FinpipeError(
                "there is no snapshot",
                where=str(snapshot),
                got=f"no {DATABASE}",
                fix="finpipe build --as-of DATE makes one and says where",
            )
        return Held(snapshot, manifest_of(snapshot), _connected(home, snapshot))
    for _ in range(MOST_LOOKS):
        folder = current(home)
        if folder is None:
            break
        try:
            return Held(folder, manifest_of(folder), _connected(home, folder))
        except (duckdb.IOException, FileNotFoundError):
            if (folder / DATABASE).exists():
                raise
    raise FinpipeError(
        "nothing is published yet",
        where=str(home.published),
        got="no current publication",
        fix="finpipe land SYSTEM PATH…, then finpipe run",
    )


def _connected(home: Home, folder: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        str(folder / DATABASE),
        read_only=True,
        config={
            "memory_limit": home.config.memory_limit,
            "threads": home.config.threads,
            "enable_external_access": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Times in UTC, then no setting changes any more; who opens the same publication twice finds it so already."""
    is_locked = connection.execute("select current_setting('lock_configuration')").fetchall()[0][0]
    if not is_locked:
        connection.execute("set global TimeZone = 'UTC'")
        connection.execute("set lock_configuration = true")


def query(home: Home, sql: str, *, limit: int | None = None, snapshot: Path | None = None) -> Answer:
    """Ask the publication in force or a snapshot; raises ``FinpipeError`` with DuckDB's own words when it refuses."""
    with holding(home, snapshot) as (folder, _, connection):
        try:
            asked = connection.execute(sql)
            if not connection.description:
                raise _asks_nothing(home, sql)
            names = [column[0] for column in connection.description]
            return Answer(names, asked.fetchall() if limit is None else asked.fetchmany(limit), folder)
        except duckdb.Error as problem:
            raise FinpipeError(
                "the query was refused",
                where=str(folder),
                got=str(problem).splitlines()[0],
                fix='finpipe query "show all tables" lists what there is; publications are read-only',
            ) from None


def _asks_nothing(home: Home, sql: str) -> FinpipeError:
    """The refusal of empty text, or of a statement without an answer."""
    return FinpipeError(
        "the query asks nothing",
        where=str(current(home)),
        got=repr(sql[:80]),
        fix='write a select: finpipe query "from bookings_billings_collections"',
    )
