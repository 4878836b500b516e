"""LAND: files of a system enter the landing zone unchanged, once, in a fixed order.

Belongs here: taking files in, from anywhere or from the inbox.  Does not belong here: opening them beyond a look at
their table; a file that turns out broken is refused when it is loaded, and stays as evidence.
"""

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from finpipe import log
from finpipe.errors import FinpipeError
from finpipe.ingest import landing, limits
from finpipe.ingest.recognise import extension, recognise
from finpipe.settings import Home
from finpipe.systems import System

LANDED, ALREADY, REFUSED = "landed", "already there", "refused"
#: Names that are on their way or are no data: skipped in folders without a word.
_PASSING = (".part", ".partial", ".tmp", ".crdownload", "~")
_JUNK = {"__MACOSX", "Thumbs.db"}
_CHUNK = 4 * limits.MEGABYTE

#: What makes a file the same as one that landed: its system, table and bytes, and how its name says to read them.
Identity = tuple[str, str, str, str]


@dataclass(frozen=True)
class Landed:
    """What became of one file: ``verdict`` is landed, already there or refused (then with reason and fix)."""

    path: Path
    verdict: str
    table: str = ""
    digest: str = ""
    order: int = 0
    bytes: int = 0
    reason: str = ""
    fix: str = ""


def land(home: Home, system: System, paths: Iterable[Path], after: int | None = None) -> list[Landed]:
    """Land files, and the files in folders; raises ``FinpipeError`` for a path that is not there.

    With ``after`` also when anything has landed since that load: what is landed on what was seen must follow it.
    """
    files = list(_files(paths))
    if not files:
        return []
    with landing.landing_lock(home):
        landing.sweep(home)
        there = landing.manifests(home)
        known = {_identity(m.system, m.table, m.sha256, m.original_name): m for m in there}
        order = max((m.order for m in there), default=0)
        if after is not None and order != after:
            raise FinpipeError(
                "something has landed meanwhile",
                where=str(home.landing),
                got=f"load {order}; it was load {after}",
                fix="look again at the figures with it, then decide",
            )
        results = []
        for path in files:
            result = _land_one(home, system, path, order + 1, known)
            _note(system, result, known)
            order = max(order, result.order)
            results.append(result)
    return results


def _note(system: System, result: Landed, known: dict[Identity, landing.Manifest]) -> None:
    """A file's line in the log."""
    manifest = known.get(_identity(system.name, result.table, result.digest, result.path.name))
    log.note(
        f"file.{result.verdict.replace(' ', '_')}",
        system=system.name,
        table=result.table,
        digest=result.digest,
        sequence=result.order or None,
        trace=manifest.trace_id if manifest else None,
        bytes=result.bytes,
    )


GROWING = "the file changed while it was copied"


def _identity(system: str, table: str, digest: str, name: str) -> Identity:
    return system, table, digest, extension(name)


def _land_one(home: Home, system: System, path: Path, order: int, known: dict[Identity, landing.Manifest]) -> Landed:
    """Land one file, or say why not."""
    try:
        _readable(path)
        table = recognise(system, path)
        copied, digest, size = _copy(home, path)
    except FinpipeError as problem:
        return Landed(path, REFUSED, reason=_sentence(problem), fix=problem.fix)
    identity = _identity(system.name, table, digest, path.name)
    if old := known.get(identity):
        copied.unlink()
        return Landed(path, ALREADY, table, digest, old.order, size)
    is_renamed = any(other[:3] == identity[:3] for other in known)
    manifest = _manifest(system, path, table, digest, size, order, is_renamed=is_renamed)
    landing.admit(home, copied, manifest)
    known[identity] = manifest
    return Landed(path, LANDED, table, digest, order, size)


def _readable(path: Path) -> None:
    """Refuse a file that the machine does not let us read: it must not stop the others."""
    try:
        path.open("rb").close()
    except OSError as problem:
        raise FinpipeError(
            "the file cannot be read", where=path.name, got=problem.strerror or "", fix="check its rights and its disk"
        ) from None


def _manifest(
    system: System, path: Path, table: str, digest: str, size: int, order: int, *, is_renamed: bool
) -> landing.Manifest:
    """What is known of a file; bytes that landed before under another ending get a folder for this one."""
    now = datetime.now(UTC)
    suffix = extension(path.name)
    month = f"{now:%Y-%m}" + (suffix if is_renamed else "")
    data = digest + (".data.json" if suffix == ".json" else suffix)
    return landing.Manifest(
        order=order,
        system=system.name,
        table=table,
        original_name=path.name,
        folder=path.parent.name,
        received_at=now.isoformat(timespec="seconds"),
        bytes=size,
        sha256=digest,
        file=f"{system.name}/{table}/{month}/{data}",
        trace_id=uuid.uuid4().hex,
    )


def _copy(home: Home, path: Path) -> tuple[Path, str, int]:
    """Copy a file next to landing, durably; returns the copy, its digest and size."""
    before = path.stat()
    if before.st_size > limits.MAX_FILE_BYTES:
        raise FinpipeError(
            "the file is too large",
            where=path.name,
            got=f"{before.st_size:,} bytes",
            fix=f"deliver it in parts of at most {limits.MAX_FILE_BYTES:,} bytes",
        )
    draft = landing.temporary(home) / f"{uuid.uuid4().hex}.draft"
    digest = hashlib.sha256()
    with path.open("rb") as source, draft.open("wb") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
        after = os.fstat(source.fileno())
        size = target.tell()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != before.st_size:
        draft.unlink()
        raise FinpipeError(GROWING, where=path.name, fix="land it again when it is complete")
    return draft, digest.hexdigest(), size


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Files as named, and those in folders in the order of their names; bounded."""
    count = 0
    for path in paths:
        if not path.exists():
            raise FinpipeError(
                "there is no such file or folder", where=str(path), fix="check the path and its spelling"
            )
        for file in walk(path) if path.is_dir() else (path,):
            count += 1
            if count > limits.MAX_FILES_PER_CALL:
                raise FinpipeError(
                    "too many files at once",
                    where=str(path),
                    got=f"more than {limits.MAX_FILES_PER_CALL:,}",
                    fix="land them in several calls",
                )
            yield file


def walk(folder: Path) -> list[Path]:
    """Regular files below a folder, sorted; hidden, passing and junk names are left out."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".") and f not in _JUNK]
        found += [Path(root, n) for n in names if not n.startswith(".") and n not in _JUNK and not n.endswith(_PASSING)]
    return sorted(p for p in found if p.is_file())


def _sentence(problem: FinpipeError) -> str:
    return problem.error + (f": {problem.got}" if problem.got else "")
