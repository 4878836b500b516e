"""Inboxes: what lies in ``inbox/<system>/``, which of it is complete, and how it is taken into landing.

Belongs here: looking (cheap: names, sizes and times) and taking (each file is moved aside first, then landed).
Does not belong here: how a file lands (``land``) and when a run begins (``finpipe.orchestration``).
A file that was moved aside is ours: a new delivery under its name is another file, and a stop at any point leaves it
in the inbox, in ``_taking`` or in landing, where the next call finds it.
"""

import fcntl
import filecmp
import hashlib
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from finpipe.ingest import limits
from finpipe.ingest.land import GROWING, REFUSED, Landed, land, walk
from finpipe.ingest.landing import make_folder
from finpipe.settings import Home
from finpipe.systems import System

#: Refused files, each with the reason beside it; and files between the inbox and landing.
ASIDE, TAKING = "_refused", "_taking"


@dataclass(frozen=True)
class Waiting:
    """What the inboxes hold at one moment. ``fingerprint`` changes when anything complete comes, goes or changes."""

    complete: int = 0
    bytes: int = 0
    growing: int = 0
    fingerprint: str = ""
    #: Folders of the inbox that no system answers to.
    strangers: tuple[str, ...] = ()
    #: Inboxes that could not be read, with the machine's own words.
    broken: tuple[str, ...] = ()


def look(home: Home, systems: Iterable[str], settle_seconds: float = 0, now: float | None = None) -> Waiting:
    """Look into the inboxes; opens no file. A file is complete once nothing touched it for ``settle_seconds``."""
    names, now = sorted(systems), time.time() if now is None else now
    marks: list[str] = []
    size = growing = 0
    broken: list[str] = []
    for name in names:
        inbox = home.inbox / name
        try:
            found = {p: p.stat() for p in _waiting(inbox)} if inbox.is_dir() else {}
        except FileNotFoundError:
            growing += 1  # taken, or renamed, between the listing and the look: the next look knows more
            continue
        except OSError as problem:
            broken.append(f"{name}: {problem.strerror or problem}")
            continue
        settled = {p: f for p, f in found.items() if _is_settled(f, settle_seconds, now)}
        marks += [f"{p.relative_to(home.inbox)}\0{f.st_size}\0{f.st_mtime_ns}" for p, f in settled.items()]
        size += sum(f.st_size for f in settled.values())
        growing += len(found) - len(settled)
    fingerprint = hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:16] if marks else ""
    return Waiting(len(marks), size, growing, fingerprint, _strangers(home, set(names)), tuple(broken))


def aside(home: Home, system: str) -> list[Path]:
    """Files of a system that were refused at the door and still lie aside."""
    folder = home.inbox / system / ASIDE
    return sorted(p for p in folder.iterdir() if not p.name.endswith(".why.txt")) if folder.is_dir() else []


def land_inbox(
    home: Home, systems: dict[str, System], settle_seconds: float = 0, now: float | None = None
) -> list[Landed]:
    """Move what is complete in ``inbox/<system>/`` into landing; what is refused goes to ``_refused`` with its reason.

    A system whose inbox cannot be read is reported as refused; the others go on.
    """
    results: list[Landed] = []
    now = time.time() if now is None else now
    for system in systems.values():
        inbox = home.inbox / system.name
        if not inbox.is_dir():
            continue
        with _only_one(home):
            try:
                taken = _take(inbox, settle_seconds, now)
            except OSError as problem:
                why = f"the inbox cannot be read: {problem.strerror or problem}"
                results.append(Landed(inbox, REFUSED, reason=why, fix="check the folder's rights and its disk"))
                continue
            for result in land(home, system, taken):
                _clear(inbox, result)
                results.append(result)
            _tidy(inbox / TAKING)
    return results


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    """Whoever takes files from an inbox does so alone: what lies in ``_taking`` is nobody else's work."""
    with (home.inbox / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _waiting(inbox: Path) -> list[Path]:
    """Files that wait in an inbox, and those that an interrupted call left half taken."""
    os.scandir(inbox).close()  # an inbox without rights is told, not taken for an empty one
    return [p for p in walk(inbox) if p.relative_to(inbox).parts[0] != ASIDE][: limits.MAX_FILES_PER_CALL]


def _is_settled(found: os.stat_result, settle_seconds: float, now: float) -> bool:
    """Whether nothing touched a file for so long. A time still to come says nothing: some clock is wrong."""
    age = now - max(found.st_mtime, found.st_ctime)
    return age >= settle_seconds or age < 0


def _take(inbox: Path, settle_seconds: float, now: float) -> list[Path]:
    """Move complete files aside, each below the name of the folder it lay in, which may name its table."""
    left, taken = [], []
    for path in _waiting(inbox):
        if path.relative_to(inbox).parts[0] == TAKING:
            left.append(path)
        elif _is_settled(path.stat(), settle_seconds, now):
            target = inbox / TAKING / uuid.uuid4().hex / path.parent.name / path.name
            make_folder(target.parent)
            taken.append(path.rename(target))
    return sorted(left, key=lambda p: (p.name, str(p))) + taken


def _clear(inbox: Path, result: Landed) -> None:
    """Drop a file once its bytes are safe in landing; keep it aside once it is refused."""
    if result.verdict != REFUSED:
        result.path.unlink(missing_ok=True)
    elif result.reason != GROWING:
        folder = inbox / ASIDE
        folder.mkdir(exist_ok=True)
        target = folder / result.path.name
        if target.exists() and not filecmp.cmp(target, result.path, shallow=False):
            target = folder / f"{result.path.parent.parent.name[:8]}-{result.path.name}"
        result.path.replace(target)
        (folder / f"{target.name}.why.txt").write_text(f"{result.reason}\n{result.fix}\n", encoding="utf-8")


def _tidy(taking: Path) -> None:
    """Remove the folders that are empty now."""
    if taking.is_dir():
        for folder, _, _ in os.walk(taking, topdown=False):
            if not any(Path(folder).iterdir()):
                Path(folder).rmdir()


def _strangers(home: Home, names: set[str]) -> tuple[str, ...]:
    """Folders with files in them for systems that are not described."""
    if not home.inbox.is_dir():
        return ()
    folders = [p for p in sorted(home.inbox.iterdir()) if p.is_dir() and not p.name.startswith((".", "_"))]
    return tuple(p.name for p in folders if p.name not in names and any(walk(p)))
