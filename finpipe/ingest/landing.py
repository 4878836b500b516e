"""The landing zone as it lies on disk: which files there are, in which order they came, and how bytes get there.

Belongs here: manifests and crash-safe writing.  Does not belong here: what may land (``land``).
A manifest's rename is the moment a file has landed; data without one is a leftover and is swept.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from finpipe.errors import FinpipeError
from finpipe.settings import Home


@dataclass(frozen=True)
class Manifest:
    """One landed file. ``order`` numbers landings of a home from 1, for ever."""

    order: int
    system: str
    table: str
    original_name: str
    folder: str
    received_at: str
    bytes: int
    sha256: str
    file: str
    trace_id: str

    def path(self, home: Home) -> Path:
        """Where the bytes lie."""
        return home.landing / self.file


@contextmanager
def landing_lock(home: Home) -> Iterator[None]:
    """Only one process lands at a time; others wait. Landing needs no write lock: it may happen during a run."""
    home.landing.mkdir(parents=True, exist_ok=True)
    with (home.landing / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def manifests(home: Home) -> list[Manifest]:
    """Every landed file in landing order; raises ``FinpipeError`` for a manifest that cannot be read."""
    found = [read_manifest(path) for path in manifest_paths(home)]
    return sorted(found, key=lambda m: (m.order, m.file))


def read_manifest(path: Path) -> Manifest:
    """Read one manifest; raises ``FinpipeError`` when it is damaged."""
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as problem:
        raise FinpipeError(
            "a manifest in the landing zone is damaged",
            where=str(path),
            got=str(problem)[:200],
            fix="restore it from a backup, or remove it together with its file and land the file again",
        ) from None


def landed(home: Home) -> int:
    """How many files have landed, by the names of their manifests; opens none."""
    return sum(1 for _ in manifest_paths(home))


def manifest_paths(home: Home) -> Iterator[Path]:
    """``<system>/<table>/<yyyy-mm>/<sha256>.json``; data that are JSON themselves end in ``.data.json``."""
    for path in home.landing.glob("*/*/*/*.json"):
        if len(path.stem) == 64:
            yield path


def temporary(home: Home) -> Path:
    """The folder of files on their way in."""
    folder = home.landing / ".tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def admit(home: Home, copied: Path, manifest: Manifest) -> None:
    """Move a copied and synced file and its manifest into place: data first, manifest last."""
    target = manifest.path(home)
    make_folder(target.parent)
    copied.replace(target)
    target.chmod(0o444)
    sync_folder(target.parent)
    write_synced(
        target.parent / f"{manifest.sha256}.json",
        json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n",
        temporary(home),
    )


def write_synced(path: Path, text: str, beside: Path) -> None:
    """Write a small file so that a crash leaves the old one or the new one, never a torn one."""
    draft = beside / f"{path.name}.{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each made durable in its parent."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(home: Home) -> int:
    """Remove what a crash left: half copies, and data whose manifest was never written. Needs the landing lock."""
    swept = sum(1 for _ in temporary(home).iterdir())
    shutil.rmtree(temporary(home))
    for month in home.landing.glob("*/*/*/"):
        names = {p.name for p in month.iterdir()}
        for name in names:
            digest = name.split(".", 1)[0]
            if len(digest) == 64 and f"{digest}.json" not in names:
                (month / name).unlink()
                swept += 1
    return swept
