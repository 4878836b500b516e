"""What people decide enters the landing zone like any extract: JSON lines, by digest, in landing order, for ever.

Belongs here: how a decision and a sighting become a landed file.  Does not belong here: whether a decision may be taken
(who asks) and what follows from it (conform, and the models).
"""

import json
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.ingest.land import REFUSED, Landed, land
from finpipe.ingest.landing import Manifest, manifests
from finpipe.settings import Home
from finpipe.systems import System, find_systems

#: The role of the system that takes decisions in.
ROLE = "decisions"


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a subject, on which figures, and why."""

    kind: str
    subject: str
    decided_by: str
    reason: str
    as_of_on: date
    payload: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    decided_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def decide(home: Home, decisions: Sequence[Decision], after: int | None = None) -> Landed:
    """Land decisions as one file; the next run applies them.

    ``after`` is the newest load they were taken on: ``FinpipeError`` when anything has landed since.
    """
    rows = [
        {
            "id": d.id,
            "kind": d.kind,
            "subject": d.subject,
            "decided_by": d.decided_by,
            "decided_at": d.decided_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "as_of_on": d.as_of_on.isoformat(),
            "reason": d.reason,
            "payload": json.dumps(d.payload, ensure_ascii=False, sort_keys=True),
        }
        for d in decisions
    ]
    return _land(home, "decision", rows, after)


def witness(home: Home, sightings: Sequence[Mapping[str, Any]], after: int | None = None) -> Landed | None:
    """Land what a publication was the first to see; the same again is the same file, so nothing is landed twice."""
    rows = sorted(({k: _text(v) for k, v in row.items()} for row in sightings), key=json.dumps)
    return _land(home, "sighting", rows, after) if rows else None


def store(home: Home, figures: Sequence[Mapping[str, Any]]) -> Landed | None:
    """Land the figures of a close; they count once a sign-off names the close."""
    rows = [{k: _text(v) for k, v in row.items()} for row in figures]
    return _land(home, "closing", rows, None) if rows else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _land(home: Home, table: str, rows: Sequence[Mapping[str, Any]], after: int | None) -> Landed:
    """Land rows of one table of the system that takes them."""
    home.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.scratch) as folder:
        path = Path(folder) / f"{table}.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        (landed,) = land(home, _system(home), [path], after)
    if landed.verdict == REFUSED:
        raise FinpipeError("a decision did not land", where=str(home.landing), got=landed.reason, fix=landed.fix)
    return landed


def _system(home: Home) -> System:
    for system in find_systems(home).values():
        if system.role == ROLE:
            return system
    raise FinpipeError(
        "no system takes decisions",
        where=", ".join(map(str, home.sources)),
        got=f"no system.toml with role = {ROLE!r}",
        fix="restore sources/decisions",
    )


def landed_decisions(home: Home, after: int = 0) -> list[dict[str, Any]]:
    """Decisions in files that landed after a load, in order of decision; such as no run has applied yet."""
    system, found = _system(home).name, []
    for manifest in manifests(home):
        is_ours = manifest.system == system and manifest.table == "decision" and manifest.file.endswith(".jsonl")
        if is_ours and manifest.order > after:
            found += _lines(home, manifest)
    return sorted(found, key=lambda d: (str(d.get("decided_at")), str(d.get("id"))))


def unseen(home: Home, after: int) -> list[str]:
    """Files that landed after a load and may move figures or periods: what proposes a close moves none."""
    own, found = _system(home).name, []
    for manifest in manifests(home):
        if manifest.order <= after:
            continue
        if manifest.system == own and manifest.table == "closing":
            continue
        if manifest.system == own and manifest.table == "decision" and manifest.file.endswith(".jsonl"):
            kinds = [str(d.get("kind")) for d in _lines(home, manifest)]
            if set(kinds) <= {"close_prepare"}:
                continue
        found.append(f"{manifest.system} {manifest.original_name}")
    return found


def _lines(home: Home, manifest: Manifest) -> list[dict[str, Any]]:
    with manifest.path(home).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
