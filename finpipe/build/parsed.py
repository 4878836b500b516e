"""dbt's parsed project, kept beside it, so that a build does not read and parse two hundred files again.

Belongs here: when what was parsed still holds.  Does not belong here: running dbt (``dbt``).
Parsing costs five CPU seconds, reading what it gave half of one.  dbt keeps its own copy but compares variables too,
so that each new business date parses everything again; ``as_of`` is read when models are compiled, never before.
All homes share what is kept, in dbt's own git-ignored ``target``; it holds no data and may be deleted at any time.
"""

import hashlib
import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from finpipe.build.manifest import DBT_PROJECT

_INPUTS = ("*.sql", "*.yml", "*.csv")
_LATE = ("as_of",)
_PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb")
#: One for each configuration in use; the oldest goes beyond that.
_MOST_KEPT = 8


def key(variables: str, database: str) -> str:
    """Fingerprint of all that dbt's parser sees: project, versions, the database's name, variables but late ones."""
    said = {k: v for k, v in json.loads(variables).items() if k not in _LATE}
    facts = [str(DBT_PROJECT), database, *(f"{p} {version(p)}" for p in _PACKAGES), json.dumps(said, sort_keys=True)]
    total = hashlib.sha256("\n".join(facts).encode())
    for path in sorted(p for kind in _INPUTS for p in DBT_PROJECT.rglob(kind) if "target" not in p.parts):
        total.update(f"{path.relative_to(DBT_PROJECT)}\n".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def recall(fingerprint: str) -> Any | None:
    """The manifest that was parsed under this fingerprint, or None."""
    path = _place(fingerprint)
    if not path.exists():
        return None
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - as dear as dbt
    from dbt.parser.manifest import extended_mashumuro_decoder  # noqa: PLC0415

    manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    manifest.build_flat_graph()
    return manifest


def keep(fresh: Path, fingerprint: str) -> None:
    """Keep what dbt has just parsed; where the project cannot be written, the next build parses again."""
    place = _place(fingerprint)
    draft = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(fresh, draft)
        draft.replace(place)
        for old in sorted(place.parent.glob("parsed-*.msgpack"), key=_age)[:-_MOST_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        draft.unlink(missing_ok=True)


def _place(fingerprint: str) -> Path:
    return DBT_PROJECT / "target" / f"parsed-{fingerprint}.msgpack"


def _age(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0
