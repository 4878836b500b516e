"""Writing a publication, putting it in force, keeping some and going back to one.

Belongs here: the folder of a publication from the first temporary byte to the swap.
Does not belong here: whether the figures may be published; the audit before this stage decides that.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from finpipe import log
from finpipe.errors import FinpipeError
from finpipe.publish.describe import catalogue_of, comments, describe, words_for
from finpipe.publish.digest import Digest, digest_tables, tables_of, whole
from finpipe.publish.files import point, settle, sha256, sync
from finpipe.publish.read import DATABASE, current, manifest_of, publications
from finpipe.publish.trace import LOOKUPS
from finpipe.settings import Home
from finpipe.warehouse import literal, quoted

#: Schema in the warehouse → schema in the publication.  Analysts find marts and reconciliations in ``main``.
SCHEMAS = {
    "marts": "main",
    "reconciliation": "main",
    "canonical": "canonical",
    "quarantine": "quarantine",
    "ledger": "ledger",
}
#: What the digest of a publication covers; the ledger has hashes of its own and holds the times of loading.
DIGESTED = ("canonical", "main", "quarantine")
#: Oldest storage version that DuckDB 1.2 clients, and so most drivers and tools of today, can open.
STORAGE_VERSION = "v1.2.0"
#: A publication on its way out; no number, so nobody takes it for one.
_GONE = ".gone-"


@dataclass(frozen=True)
class Stamps:
    """What the figures follow from; ``build`` is the build that made them, of which each home counts its own.

    Two of them are dates that a reader asks for: ``as_of``, the business date, and ``as_known``, when the newest load
    behind the figures was received (``load_seq`` is its number).
    """

    as_of: str
    load_seq: int
    load_hash: str
    code_version: str
    build: int
    as_known: str = ""
    policy_version: str = ""
    settings_version: str = ""


@dataclass(frozen=True)
class Published:
    """A publication: its number, its folder and what its manifest says. ``is_new`` is false if nothing changed."""

    seq: int
    folder: Path
    digest: str
    rows: dict[str, int]
    is_new: bool


def publish(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    stamps: Stamps,
    progress: Callable[[str], None] = lambda _: None,
    now: datetime | None = None,
) -> Published:
    """Write the audited tables as the next publication and put it in force.

    A stop at any point leaves the former publication as it was.  Equal content with equal stamps is not
    published twice.
    """
    home.published.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    if same := _already(home, connection, stamps):
        return same
    seq = max(publications(home), default=0) + 1
    draft = home.published / f".draft-{seq}-{os.getpid()}"
    draft.mkdir()
    try:
        write(connection, draft, seq, stamps, progress, now)
        folder = home.published / str(seq)
        draft.rename(folder)
        sync(home.published)
        point(home.published / "current", str(seq))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _keep(home)
    done = _published(folder, is_new=True)
    log.note("publication.in_force", publication=seq, digest=done.digest, build=stamps.build, as_of=stamps.as_of)
    return done


def write(
    connection: duckdb.DuckDBPyConnection,
    draft: Path,
    seq: int | None,
    stamps: Stamps,
    progress: Callable[[str], None] = lambda _: None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Write the audited tables into an empty folder, durably, and return its manifest; ``seq`` is none of a snapshot
    that is no publication."""
    digests = _write(connection, draft, seq, stamps, progress)
    manifest = _manifest(draft, seq, stamps, digests, now or datetime.now(UTC))
    (draft / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    settle(draft)
    return manifest


def roll_back(home: Home, seq: int) -> Published:
    """Put an earlier publication in force again; raises ``FinpipeError`` when it is not kept."""
    folder = home.published / str(seq)
    if not (folder / "manifest.json").exists():
        kept = ", ".join(map(str, publications(home))) or "none"
        raise FinpipeError(
            "that publication is not kept",
            where=str(home.published),
            got=str(seq),
            fix=f"choose one of: {kept}",
        )
    point(home.published / "current", str(seq))
    return _published(folder, is_new=False)


def freeze(home: Home, seq: int, why: str) -> Path:
    """Keep a publication for ever, for it was signed; the note beside it says for what. Raises when it is not kept."""
    if not (home.published / str(seq) / "manifest.json").exists():
        raise FinpipeError(
            "that publication is not kept", where=str(home.published), got=str(seq), fix="finpipe publications"
        )
    note = _note(home, seq)
    before = json.loads(note.read_text(encoding="utf-8")) if note.exists() else []
    if why not in before:
        draft = note.with_name(f".draft-{note.name}")
        draft.write_text(json.dumps([*before, why]) + "\n", encoding="utf-8")
        sync(draft)
        draft.replace(note)
        sync(home.published)
    return note


def _note(home: Home, seq: int) -> Path:
    return home.published / f"{seq}.frozen"


def _write(
    connection: duckdb.DuckDBPyConnection,
    draft: Path,
    seq: int | None,
    stamps: Stamps,
    progress: Callable[[str], None],
) -> dict[str, Digest]:
    """Copy tables, comments and parquet into the draft; return the digests of what was written."""
    connection.execute(f"attach {literal(draft / DATABASE)} as draft (storage_version {literal(STORAGE_VERSION)})")
    try:
        catalogue = catalogue_of(connection)
        for schema, table in tables_of(connection, SCHEMAS):
            progress(f"{SCHEMAS[schema]}.{table}")
            _copy(connection, schema, table, draft, stamps)
            target = f"draft.{quoted(SCHEMAS[schema])}.{quoted(table)}"
            describe(connection, target, *comments(connection, catalogue, schema, table))
        _stamp(connection, seq, stamps)
        digests = digest_tables(connection, DIGESTED, catalog="draft")
        digests.pop("main.publication")
        connection.execute("checkpoint draft")
    finally:
        connection.execute("detach draft")
    return digests


def _copy(connection: duckdb.DuckDBPyConnection, schema: str, table: str, draft: Path, stamps: Stamps) -> None:
    """One table, and the same rows as parquet, which says of itself from which cut it comes."""
    to = SCHEMAS[schema]
    target = f"draft.{quoted(to)}.{quoted(table)}"
    connection.execute(f"create schema if not exists draft.{quoted(to)}")
    connection.execute(f"create table {target} as select * from {quoted(schema)}.{quoted(table)}")
    if column := LOOKUPS.get((to, table)):
        connection.execute(f"create index {quoted(f'{table}_by_{column}')} on {target} ({quoted(column)})")
    folder = draft / "parquet" if to == "main" else draft / "parquet" / to
    folder.mkdir(parents=True, exist_ok=True)
    said = f"{{as_of: {literal(stamps.as_of)}, as_known: {literal(stamps.as_known)}, load_seq: '{stamps.load_seq}'}}"
    connection.execute(
        f"copy {target} to {literal(folder / f'{table}.parquet')} "
        f"(format parquet, compression zstd, kv_metadata {said})"
    )


def _stamp(connection: duckdb.DuckDBPyConnection, seq: int | None, stamps: Stamps) -> None:
    """One row in the database itself, so that an export of it can still name its snapshot."""
    listed = ", ".join(f"{literal(value)} as {name}" for name, value in asdict(stamps).items())
    connection.execute(
        f"create table draft.main.publication as select cast({literal(seq)} as integer) as publication, {listed}"
    )
    for name, text in words_for(connection, "draft.main.publication").items():
        connection.execute(f"comment on column draft.main.publication.{name} is {literal(text)}")
    connection.execute(
        "comment on table draft.main.publication is "
        "'One row: the number of this publication and what its figures follow from.'"
    )


def _manifest(
    draft: Path, seq: int | None, stamps: Stamps, digests: Mapping[str, Digest], now: datetime
) -> dict[str, Any]:
    return {
        "publication": seq,
        "published_at": now.isoformat(timespec="seconds"),
        **asdict(stamps),
        "digest": whole(dict(digests)),
        "tables": {name: found._asdict() for name, found in sorted(digests.items())},
        "files": {str(path.relative_to(draft)): sha256(path) for path in sorted(draft.rglob("*")) if path.is_file()},
    }


def _already(home: Home, connection: duckdb.DuckDBPyConnection, stamps: Stamps) -> Published | None:
    """The publication in force, if it says exactly this; asked before anything is written, for that is dear.

    The same build is the same content, for only a build writes what is published.  Another build may have made the same
    again: then the tables themselves are compared.
    """
    folder = current(home)
    if folder is None:
        return None
    said = manifest_of(folder)
    if any(said.get(k) != v for k, v in asdict(stamps).items() if k != "build"):
        return None
    if said["build"] == stamps.build:
        return _published(folder, is_new=False)
    found = digest_tables(connection, [schema for schema, to in SCHEMAS.items() if to in DIGESTED])
    digests = {f"{SCHEMAS[name.split('.')[0]]}.{name.split('.')[1]}": digest for name, digest in found.items()}
    return _published(folder, is_new=False) if said["digest"] == whole(digests) else None


def _published(folder: Path, *, is_new: bool) -> Published:
    said = manifest_of(folder)
    rows = {name: facts["rows"] for name, facts in said["tables"].items()}
    return Published(said["publication"], folder, said["digest"], rows, is_new)


def _sweep(home: Home) -> None:
    """Remove what earlier stops left behind. Only the holder of the write lock publishes, so nobody needs it."""
    for left in (".draft-*", f"{_GONE}*"):
        for path in home.published.glob(left):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in home.published.glob(".current-*"):
        path.unlink()


def _keep(home: Home) -> None:
    """Remove the oldest publications beyond the number to keep; never the one in force, never a signed one."""
    in_force = current(home)
    for seq in publications(home)[: -home.config.keep_publications]:
        folder = home.published / str(seq)
        if folder != in_force and not _note(home, seq).exists():
            gone = folder.with_name(f"{_GONE}{seq}")
            folder.rename(gone)  # whole or not there: a reader, or a stop in the middle, never finds half of it
            shutil.rmtree(gone)
