"""Writing: tables grow block by block in a temporary folder, which is renamed when all is whole.

Belongs here: files and folders. Does not: what stands in them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl


class DemoError(ValueError):
    """An argument of the generator that cannot be honoured; nothing has been written."""


class Writer:
    """Appends frames to CSV and JSON-lines files below one folder; a CSV gets its header with its first frame."""

    def __init__(self, root: Path) -> None:
        """Write below ``root``, which exists."""
        self.root = root
        self.rows: dict[str, int] = {}
        self._columns: dict[str, list[str]] = {}

    def csv(self, name: str, frame: pl.DataFrame) -> None:
        """Append rows to a CSV file; columns must stay what they were."""
        first = name not in self.rows
        if self._columns.setdefault(name, frame.columns) != frame.columns:
            raise AssertionError(f"columns of {name} changed between blocks")
        with self._open(name) as file:
            frame.write_csv(file, include_header=first, line_terminator="\n")
        self.rows[name] = self.rows.get(name, 0) + frame.height

    def jsonl(self, name: str, frame: pl.DataFrame) -> None:
        """Append rows to a file of one JSON object a line; an empty one is not written."""
        if frame.height:
            with self._open(name) as file:
                frame.write_ndjson(file)
        self.rows[name] = self.rows.get(name, 0) + frame.height

    def whole(self, name: str, data: bytes) -> None:
        """Write a file of bytes as they are; its rows are nobody's to count."""
        with self._open(name) as file:
            file.write(data)
        self.rows[name] = 0

    @contextmanager
    def _open(self, name: str) -> Iterator[BinaryIO]:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            yield file


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside ``out`` that becomes ``out`` if nothing goes wrong, else vanishes."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DemoError(f"output {out} exists and is not an empty folder: choose another or remove it")
    work = out.parent / f".{out.name}.{os.getpid()}.partial"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if work.exists():
            shutil.rmtree(work)
        work.mkdir()
    except OSError as problem:
        raise DemoError(f"output {out} cannot be made: {problem.strerror}") from problem
    try:
        yield work
        if out.exists():
            out.rmdir()
        work.rename(out)
    finally:
        if work.exists():
            shutil.rmtree(work)
