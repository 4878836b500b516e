"""Files and folders that survive a power cut.

Belongs here: making bytes durable and swapping a link.  Does not belong here: what is in the files.
"""

import hashlib
import os
from pathlib import Path


def settle(folder: Path) -> None:
    """Make every file below a folder durable and read-only, then the folders themselves."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            sync(path)
            path.chmod(0o444)
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Flush a file or folder to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def point(link: Path, target: str) -> None:
    """Let a symbolic link point to a target, in one step: readers see the old one or the new one."""
    fresh = link.with_name(f".{link.name}-{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    sync(link.parent)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
