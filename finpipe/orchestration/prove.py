"""Proofs over all stages: that what is stored agrees, and that landing gives the publication again.

Belongs here: composing stages without Dagster.  Does not belong here: any stage's own check.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from finpipe import ingest
from finpipe.close import check_pack
from finpipe.errors import FinpipeError
from finpipe.orchestration.beside import Tell, beside, make, throwaway
from finpipe.publish import Digest, current, digest_tables, manifest_of, whole
from finpipe.publish.files import sha256
from finpipe.publish.snapshot import DIGESTED, SCHEMAS
from finpipe.settings import Home
from finpipe.systems import find_systems
from finpipe.warehouse import connect, raw_lock, write_lock


@dataclass(frozen=True)
class Compared:
    """One table as published and as rebuilt: rows (none where it is missing), and whether they are the same."""

    table: str
    published: int | None
    rebuilt: int | None
    is_same: bool


@dataclass(frozen=True)
class Rebuilt:
    """Both digests and every table."""

    published: str
    rebuilt: str
    tables: tuple[Compared, ...]


def verify(home: Home) -> list[str]:
    """What does not agree, one sentence each: ledger, landing, raw, row accounts, publication, closes."""
    problems = []
    if home.raw.exists():
        with raw_lock(home), connect(home, home.raw) as connection:
            problems += ingest.verify(home, connection)
    if home.warehouse.exists():
        with write_lock(home), connect(home) as connection:
            for seq, system, table, rows, *parts in ingest.row_account_breaks(connection):
                said = " + ".join(map(str, parts))
                problems.append(f"load {seq} of {system}.{table}: {rows} rows are not accounted for by {said}")
    folder = current(home)
    if folder is not None:
        for name, digest in manifest_of(folder)["files"].items():
            path = folder / name
            if not path.exists():
                problems.append(f"publication {folder.name} lost its file {name}")
            elif sha256(path) != digest:
                problems.append(f"publication {folder.name}: {name} was changed after it was published")
    return problems + verify_closes(home)


def verify_closes(home: Home) -> list[str]:
    """What is wrong with the evidence and the publications of everything ever signed, one sentence each."""
    problems: list[str] = []
    packs: set[tuple[str, str]] = set()
    publications: set[tuple[int, str]] = set()
    for decision in ingest.landed_decisions(home):
        if decision["kind"] == "close_signoff":
            said = json.loads(decision["payload"])
            packs.add((said["pack"], said["evidence"]))
            publications.add((said["publication"], said["digest"]))
    for pack, evidence in sorted(packs):
        problems += check_pack(home.closed / pack, evidence)
    for seq, digest in sorted(publications):
        problems += _kept(home, seq, digest)
    return problems


def _kept(home: Home, seq: int, digest: str) -> Iterator[str]:
    folder = home.published / str(seq)
    if not (folder / "manifest.json").exists():
        yield f"publication {seq} was signed and is gone"
        return
    said = manifest_of(folder)
    if said["digest"] != digest:
        yield f"publication {seq} is not the one that was signed: its digest is another"
    for name, own in said["files"].items():
        if not (folder / name).exists() or sha256(folder / name) != own:
            yield f"publication {seq} was signed, and {name} is gone or was changed"


def start_over(home: Home) -> str:
    """Set the working databases aside: they are caches, the next run makes them again from landing."""
    with write_lock(home), raw_lock(home):
        there = [path for path in (home.raw, home.warehouse) if path.exists()]
        return "; ".join(ingest.set_aside(p, "rebuild was asked for") for p in there) or "nothing to set aside"


def rebuild(home: Home, tell: Tell = lambda _stage, _what: None) -> Rebuilt:
    """Build a second warehouse from landing, and compare it with the publication in force, table by table.

    Nothing that is there is touched.  Raises ``FinpipeError`` when nothing is published, or files landed since.
    """
    folder = current(home)
    if folder is None:
        raise FinpipeError(
            "there is nothing to compare with",
            where=str(home.published),
            got="no publication",
            fix="finpipe run",
        )
    said = manifest_of(folder)
    with throwaway(home) as folder:
        digests = _again(beside(home, folder / "home"), said, tell)
    published = {name: Digest(t["rows"], t["digest"]) for name, t in said["tables"].items()}
    tables = tuple(_compared(name, published.get(name), digests.get(name)) for name in sorted({*published, *digests}))
    return Rebuilt(said["digest"], whole(digests), tables)


def _again(second: Home, said: dict[str, Any], tell: Tell) -> dict[str, Digest]:
    """Load, conform and build from landing; the digests that a publication of it would have."""
    head = ingest.known(second, find_systems(second)).load_seq
    if head != said["load_seq"]:
        raise FinpipeError(
            "the publication is not of what is landed now",
            where=str(second.landing.resolve()),
            got=f"landed up to load {head}, published up to load {said['load_seq']}",
            fix="finpipe run, then compare again",
        )
    make(second, date.fromisoformat(said["as_of"]), tell)
    with connect(second) as connection:
        digests = digest_tables(connection, [s for s, to in SCHEMAS.items() if to in DIGESTED])
    return {f"{SCHEMAS[name.split('.')[0]]}.{name.split('.')[1]}": found for name, found in digests.items()}


def _compared(name: str, published: Digest | None, rebuilt: Digest | None) -> Compared:
    return Compared(
        name,
        published.rows if published else None,
        rebuilt.rows if rebuilt else None,
        published == rebuilt,
    )
