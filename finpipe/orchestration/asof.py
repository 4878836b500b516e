"""Figures of any business date, as known at any time, as a snapshot of their own.

Belongs here: which snapshot is meant, and putting it in its place whole.  Does not belong here: what is published;
nothing here touches a publication, the working database or the write lock.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from finpipe import ingest
from finpipe.errors import FinpipeError
from finpipe.orchestration.beside import Tell, beside, broken, make, throwaway
from finpipe.orchestration.stamps import stamps_of, versions
from finpipe.policy import policy_of
from finpipe.publish import manifest_of, write
from finpipe.publish.files import settle, sync
from finpipe.settings import Home
from finpipe.systems import find_systems
from finpipe.warehouse import connect


@dataclass(frozen=True)
class Snapshot:
    """A snapshot: where it lies and what it says of itself; ``is_new`` is false when it was there already."""

    folder: Path
    manifest: dict[str, Any]
    is_new: bool


def build_snapshot(
    home: Home,
    as_of: date,
    as_known: str | None = None,
    out: Path | None = None,
    tell: Tell = lambda _stage, _what: None,
    now: datetime | None = None,
) -> Snapshot:
    """Make the figures of a business date out of what was known at a time (nothing = now), from landing.

    Data are those of the time, code, policy and settings those of now; the manifest names all of them.
    Raises ``FinpipeError`` when the cut cannot be meant, ``out`` holds something else, or the audit fails; then
    nothing is left behind.
    """
    policy_of(home)  # a policy that cannot be meant stops everything before it begins
    cut = ingest.known(home, find_systems(home), as_known, now)
    target = out or home.snapshots / f"{as_of}-known-{cut.load_seq}"
    meant = {**versions(home), "as_of": as_of.isoformat(), "load_seq": cut.load_seq}
    if (said := _said(target)) and all(said.get(k) == v for k, v in meant.items()):
        return Snapshot(target, said, is_new=False)
    if out is not None:
        _judge(out)
    with throwaway(home) as folder:
        second = beside(home, folder / "home")
        report = make(second, as_of, tell, cut.admits)
        if failed := broken(report):
            raise FinpipeError(
                "the figures of that cut do not pass the audit, so there is no snapshot of them",
                where=f"as of {as_of}, as known at load {cut.load_seq}",
                got=failed,
                fix="choose another cut: that one may lie in the middle of a delivery",
            )
        draft = folder / "draft"
        draft.mkdir()
        with connect(second) as connection:
            manifest = write(connection, draft, None, stamps_of(connection, report), lambda t: tell("publish", t), now)
        _place(draft, target, folder / "former")
    return Snapshot(target, manifest, is_new=True)


def _said(folder: Path) -> dict[str, Any] | None:
    return manifest_of(folder) if (folder / "manifest.json").is_file() else None


def _judge(out: Path) -> None:
    """Refuse a place that something else has: a snapshot never replaces what somebody chose to put there."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise FinpipeError(
            "something else lies there",
            where=str(out),
            got="a file, or a folder that is not empty and not this snapshot",
            fix="choose another --out, or remove it",
        )


def _place(draft: Path, target: Path, former: Path) -> None:
    """Put a finished folder in its place in one step; what an older code left there under this name goes away."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in _left_by_the_dead(target):
        shutil.rmtree(left, ignore_errors=True)
    try:
        _swap(draft, target, former)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        # Another file system: the bytes travel to a name beside the target first.
        near = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            shutil.copytree(draft, near)
            settle(near)
            _swap(near, target, target.with_name(f"{near.name}.former"))
        finally:
            shutil.rmtree(near, ignore_errors=True)
    sync(target.parent)


def _swap(draft: Path, target: Path, former: Path) -> None:
    if target.exists():
        target.rename(former)
    draft.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def _left_by_the_dead(target: Path) -> Iterator[Path]:
    """Half copies beside a target whose process has ended."""
    for path in target.parent.glob(f".{target.name}.*"):
        number = path.name.removeprefix(f".{target.name}.").partition(".")[0]
        if number.isdecimal() and not _lives(int(number)):
            yield path


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
