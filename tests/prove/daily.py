"""A demo company lived day by day: its drops go into the inbox, the sensor decides, and what it asks for is done.

Belongs here: the days, and standing in for runs so that a day costs what it lands.  Does not belong here: what happens
in the story, and what is expected of it.
"""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from finpipe import ingest
from finpipe.build.dbt import invoke
from finpipe.orchestration import inbox
from finpipe.settings import Home
from finpipe.systems import System, find_systems


class Days:
    """The inbox of a home, day by day, and the sensor that watches it. ``held`` holds rows back by file and key."""

    def __init__(self, home: Home, drops: Path, systems: Sequence[str], instance: dg.DagsterInstance) -> None:
        self.home, self.drops, self.names, self.instance = home, drops, tuple(systems), instance
        self.now = time.time() + 3600  # whatever lies in the inbox has been there for an hour
        self.cursor: str | None = None
        self.asked: list[str] = []
        #: Rows that are late: they leave their day's files, and come with ``late``.
        self.held_back: dict[str, tuple[str, set[str]]] = {}
        self.late: dict[str, list[str]] = {}

    @property
    def systems(self) -> dict[str, System]:
        return {n: s for n, s in find_systems(self.home).items() if n in self.names or s.role == "decisions"}

    def history(self, until: date) -> None:
        """All that was delivered before a day, as one file of each table: what a company begins with."""
        whole: dict[tuple[str, str], list[str]] = {}
        for day in sorted(p for p in self.drops.iterdir() if p.name < until.isoformat()):
            for path in self._files(day):
                lines = path.read_text(encoding="utf-8").splitlines()
                name = re.sub(r"_\d{4}-\d\d-\d\d$", "", path.stem) + path.suffix
                has_header = path.suffix == ".csv" and (path.parent.name, name) in whole
                whole.setdefault((path.parent.name, name), []).extend(lines[1:] if has_header else lines)
        for (system, name), lines in whole.items():
            self._put(system, name, lines)

    def deliver(self, *span: date) -> int:
        """Put what comes on some days into the inbox, one file of a table, without the rows that are late.

        Returns how many files there were.
        """
        files: dict[tuple[str, str], list[str]] = {}
        for day in span:
            for path in self._files(self.drops / day.isoformat()):
                lines = path.read_text(encoding="utf-8").splitlines()
                name = re.sub(r"_\d{4}-\d\d-\d\d$", "", path.stem)
                if name in self.held_back and path.suffix == ".csv":
                    lines = self._without_late(name, lines)
                # A file that comes late, or once more, goes under its own day's name.
                of_day = path.name if len(span) == 1 else f"{name}_{span[-1].isoformat()}{path.suffix}"
                former = files.setdefault((path.parent.name, of_day), [])
                former += lines[1:] if former and path.suffix == ".csv" else lines
        for (system, name), lines in files.items():
            self._put(system, name, lines)
        return len(files)

    def deliver_late(self, day: date) -> None:
        """What was held back comes at last, under the names of that day."""
        for table, lines in self.late.items():
            self._put("netsuite", f"{table}_{day.isoformat()}T09.csv", lines)
        self.held_back = {}

    def _without_late(self, table: str, lines: list[str]) -> list[str]:
        column, keys = self.held_back[table]
        place = lines[0].split(",").index(column)
        is_late = [line.split(",")[place] in keys for line in lines[1:]]
        late = [line for line, held in zip(lines[1:], is_late, strict=True) if held]
        if late:
            self.late.setdefault(table, [lines[0]]).extend(late)
        return [lines[0], *(line for line, held in zip(lines[1:], is_late, strict=True) if not held)]

    def _files(self, day: Path) -> list[Path]:
        return sorted(p for n in self.names for p in (day / n).glob("*") if p.is_file()) if day.is_dir() else []

    def _put(self, system: str, name: str, lines: Sequence[str]) -> None:
        folder = self.home.inbox / system
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def tick(self) -> str | None:
        """One look of the sensor; returns the job that it asks for."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        runs = inbox.busy(context.instance, self.now)
        said = inbox.decide(self.home, self.systems, inbox.Asked.read(self.cursor), runs, self.now)
        self.cursor = said.cursor
        self.now += 24 * 3600
        asked = [str(request.job_name) for request in said.run_requests or []]
        assert len(asked) <= 1, "a burst is one run"
        self.asked += asked
        return asked[0] if asked else None

    def land(self) -> int:
        """What the landing part of a run does; returns how many files were new."""
        done = inbox.take_in(self.home, self.systems)
        assert [(f.path.name, f.reason) for f in done if f.reason] == [], "nothing of the demo company is refused"
        return sum(f.verdict == "landed" for f in done)

    def load(self) -> None:
        """What the load step of a run does."""
        with ingest.open_raw(self.home) as (connection, _):
            assert ingest.load(self.home, connection, self.systems).refused == []


def days(first: date, last: date) -> Iterator[date]:
    """Every day from one to another."""
    while first <= last:
        yield first
        first += timedelta(days=1)


def begin(company: Path, home: Home) -> None:
    """Configure an empty home as the company."""
    home.root.mkdir(parents=True, exist_ok=True)
    shutil.copy(company / "finpipe.toml", home.root / "finpipe.toml")


class ThinBuild:
    """dbt without its tests: all models that the story asks of where there are none yet, then those that may move.

    ``is_whole`` makes all of them at each build.
    """

    def __init__(self, whole: Sequence[str], moving: Sequence[str]) -> None:
        self.whole, self.moving = [f"+{name}" for name in whole], list(moving)
        self.is_whole = False

    def __call__(self, command: list[str], *, warehouse: Path, **given: Any) -> bool:
        """Stand in for ``finpipe.build.dbt.invoke``."""
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            there = "select 1 from duckdb_tables() where schema_name = 'marts' and table_name = 'reconciliations'"
            is_first = not connection.execute(there).fetchall()
        chosen = self.whole if self.is_whole or is_first else self.moving
        asked = ["--no-write-json", "run", "--select", *chosen]
        return invoke(asked, warehouse=warehouse, **given)
