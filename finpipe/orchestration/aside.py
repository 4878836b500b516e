"""Systems that are set aside while the others go on: which, why, and that nothing of theirs is lost meanwhile.

Belongs here: the small memory ``aside.json`` of what runs and sensors found, and the rule that a publication never
loses a system.
Does not belong here: finding out (``systems``, ``ingest.live``, ``conform``), telling people (``observe``).
A description that cannot be read is found anew at each look; what only a run or a question to a source can find is
remembered until the same stage finds it well.
"""

import fcntl
import json
from collections.abc import Collection, Mapping
from typing import Any

import duckdb

from finpipe.contracts import entities
from finpipe.errors import FinpipeError
from finpipe.ingest.landing import write_synced
from finpipe.publish.read import current, manifest_of, reading
from finpipe.settings import Home
from finpipe.systems import broken_systems, find_systems

_PARTS = ("error", "where", "got", "fix")


def set_aside(home: Home) -> dict[str, FinpipeError]:
    """Every system that is set aside now, with the reason; of one that nobody describes any more nothing is said."""
    broken, described = broken_systems(home), find_systems(home)
    noted = {name: told for found in _read(home).values() for name, told in found.items() if name in described}
    return {name: _told(said) for name, said in noted.items()} | broken


def note_aside(home: Home, stage: str, found: Mapping[str, FinpipeError], unsure: Collection[str] = ()) -> None:
    """Remember what a stage found, in place of what it found before; of ``unsure`` systems what it said stands."""
    before = _read(home).get(stage, {})
    now = {name: said for name, said in before.items() if name in unsure}
    now |= {name: {part: getattr(problem, part) for part in _PARTS} for name, problem in found.items()}
    if before == now:
        return
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "aside.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        noted = {**_read(home), stage: now}
        write_synced(home.root / "aside.json", json.dumps(noted, indent=1, sort_keys=True), home.root)


def must_stand(home: Home, connection: duckdb.DuckDBPyConnection, aside: Collection[str]) -> None:
    """Refuse to go on without what a system set aside had given: it is published, and the warehouse has none of it.

    That is so when the working database was lost, or an entity was made anew, while the system cannot be read.
    """
    folder = current(home)
    if not aside or folder is None:
        return
    tables = manifest_of(folder)["tables"]
    with reading(home) as published:
        for entity in entities():
            if f"canonical.{entity}" not in tables:
                continue
            systems = f"select distinct system from canonical.{entity}"
            had = {row[0] for row in published.execute(systems).fetchall()} & set(aside)
            if lost := sorted(had - {row[0] for row in connection.execute(systems).fetchall()}):
                raise FinpipeError(
                    "a system that was published cannot be read, and the working database has nothing of it",
                    where=f"canonical.{entity}",
                    got=", ".join(lost),
                    fix="correct the system (finpipe status says what is wrong); the former publication stays in force",
                )


def _read(home: Home) -> dict[str, dict[str, dict[str, Any]]]:
    """The memory; one that cannot be read is none: the next look fills it again."""
    try:
        said = json.loads((home.root / "aside.json").read_text(encoding="utf-8"))
        return {str(stage): dict(found) for stage, found in said.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _told(said: Mapping[str, Any]) -> FinpipeError:
    where, got, fix = (str(said.get(part, "")) for part in _PARTS[1:])
    return FinpipeError(str(said.get("error", "it was set aside")), where=where, got=got, fix=fix)
