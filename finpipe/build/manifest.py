"""What is known of dbt's models and tests without running dbt: ``dbt_project/manifest.json``.

Belongs here: reading that file.  Does not belong here: making it (``keep``), for that needs dbt.
The file is generated, path-free and committed, so that a fresh clone, ``definitions validate`` and every test
see the same graph with no build step; a test proves that it is fresh (docs/decisions/0003).
"""

import json
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from finpipe.settings import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
KEPT = DBT_PROJECT / "manifest.json"


@dataclass(frozen=True)
class Model:
    """A model or seed: one table or view in the warehouse."""

    unique_id: str
    table: str  # schema.name
    kind: str  # table, view, incremental or seed
    path: str  # below dbt_project
    about: str
    columns: tuple[dict[str, str], ...]  # name, type, about
    reads: tuple[str, ...]  # schema.name of each table it reads
    meta: dict[str, Any] = field(default_factory=dict)
    lineage: dict[str, list[str]] = field(default_factory=dict)  # column → schema.table.column …
    gives: tuple[str, ...] = ()  # columns that its SQL gives, in order
    sql: str = ""  # fingerprint of compiled SQL and inputs: lineage is made anew when it changes

    @property
    def schema(self) -> str:
        """Schema of its table: the stage it belongs to."""
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        """Name of its table."""
        return self.table.split(".")[1]


@dataclass(frozen=True)
class Check:
    """A dbt test, as a check of one table."""

    unique_id: str
    table: str
    name: str
    about: str
    blocks: bool
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """All models and tests, by dbt's unique id."""

    models: dict[str, Model]
    checks: dict[str, Check]

    @property
    def tables(self) -> dict[str, Model]:
        """Models by ``schema.name``."""
        return {m.table: m for m in self.models.values()}

    @property
    def in_order(self) -> list[Model]:
        """Models, each after those that it reads."""
        made = self.tables
        order = TopologicalSorter({name: [t for t in m.reads if t in made] for name, m in made.items()})
        return [made[name] for name in order.static_order()]

    @property
    def inputs(self) -> list[str]:
        """Tables that models read and no model makes."""
        made = self.tables
        return sorted({t for m in self.models.values() for t in m.reads if t not in made})


@cache
def kept(path: Path = KEPT) -> Manifest:
    """The committed manifest."""
    said = json.loads(path.read_text(encoding="utf-8"))
    return Manifest(
        {m["unique_id"]: Model(**_tuples(m)) for m in said["models"]},
        {c["unique_id"]: Check(**_tuples(c)) for c in said["checks"]},
    )


def _tuples(given: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
