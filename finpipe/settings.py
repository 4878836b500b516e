"""Where one company's state lives and how it is configured.

Belongs here: the folders below ``FINPIPE_HOME``, and ``finpipe.toml`` in it.
Does not belong here: what a system looks like (``systems``), and anything read at import.
"""

import os
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError

PROJECT = Path(__file__).resolve().parent.parent
#: Smallest numbers that can be meant.
_LEAST = {"threads": 1, "keep_publications": 2}


@dataclass(frozen=True)
class Home:
    """The folders of one company. Nothing is created until it is needed."""

    root: Path
    extra_sources: Path | None = None

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that ``FINPIPE_HOME`` names (default: ``.finpipe`` in the project)."""
        extra = os.environ.get("FINPIPE_SOURCES")
        root = Path(os.environ.get("FINPIPE_HOME") or PROJECT / ".finpipe")
        return cls(root.expanduser().resolve(), Path(extra).expanduser().resolve() if extra else None)

    @property
    def landing(self) -> Path:
        """Immutable files by digest: the truth."""
        return self.root / "landing"

    @property
    def inbox(self) -> Path:
        """``inbox/<system>/``: files put here are landed by the next run."""
        return self.root / "inbox"

    @property
    def cursors(self) -> Path:
        """How far each live system was fetched, one small file each; without them all of it is fetched again."""
        return self.root / "cursors"

    @property
    def raw(self) -> Path:
        """LOAD's database: raw tables and the load ledger; a cache of the landing zone."""
        return self.root / "raw.duckdb"

    @property
    def warehouse(self) -> Path:
        """The working database, from CONFORM on: a cache of what follows from raw."""
        return self.root / "warehouse.duckdb"

    @property
    def witness(self) -> Path:
        """Head of the load ledger, kept outside the database to notice one that lost its tail."""
        return self.root / "witness.json"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes the warehouse."""
        return self.root / "write.lock"

    @property
    def raw_lock(self) -> Path:
        """Held by the one process that writes raw tables, or reads them: never while marts are built."""
        return self.root / "raw.lock"

    @property
    def published(self) -> Path:
        """Numbered snapshots, and ``current``, the one in force."""
        return self.root / "published"

    @property
    def snapshots(self) -> Path:
        """Figures of other cuts, asked for one by one; they are no publications."""
        return self.root / "snapshots"

    @property
    def backfills(self) -> Path:
        """Previews of restatements, by what they were made from."""
        return self.root / "backfills"

    @property
    def closed(self) -> Path:
        """Evidence packs of closes, one folder each; never changed."""
        return self.root / "closed"

    @property
    def scratch(self) -> Path:
        """Throw-away folders; whatever is left over may be swept."""
        return self.root / "tmp"

    @property
    def sources(self) -> tuple[Path, ...]:
        """Folders that hold systems: the project's own and the company's."""
        own = (PROJECT / "sources",)
        return own if self.extra_sources is None else (*own, self.extra_sources)

    @cached_property
    def config(self) -> "Config":
        """The company's ``finpipe.toml``; defaults when there is none."""
        return Config.read(self.root / "finpipe.toml")


@dataclass(frozen=True)
class Config:
    """A company's choices. Every one has a default that suits a first look."""

    reporting_currency: str = "USD"
    #: Which role is believed for posted documents and money, first that has any.
    document_roles: tuple[str, ...] = ("erp", "billing")
    #: The legal entity of records that name none, when the company has just one.
    legal_entity: dict[str, str] = field(default_factory=dict)
    #: Fiscal calendars by name that the ERP does not keep; ``group`` is the group's (docs/howto/close_a_quarter.md).
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Which of them an entity's books keep, by the entity's id in the ERP.
    entity_calendars: dict[str, str] = field(default_factory=dict)
    #: Overrides of sources/<system>/system.toml, merged key by key.
    systems: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What DuckDB may hold before it spills to disk.
    memory_limit: str = "700MB"
    #: Processors that one step uses.
    threads: int = 2
    #: Publications to keep, with the one in force; signed ones are kept for ever. At least 2, so that whoever has just
    #: looked for the one in force still finds it.
    keep_publications: int = 10

    @classmethod
    def read(cls, path: Path) -> "Config":
        """Read ``finpipe.toml``; raises ``FinpipeError`` when it is not TOML or has an unknown key."""
        if not path.exists():
            return cls()
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise FinpipeError(
                "the configuration is not valid TOML",
                where=str(path),
                got=str(problem),
                fix="correct the line it names",
            ) from None
        unknown = sorted(set(given) - set(cls.__dataclass_fields__))
        if unknown:
            raise FinpipeError(
                "the configuration has an unknown key",
                where=str(path),
                got=", ".join(unknown),
                fix=f"known keys: {', '.join(cls.__dataclass_fields__)}",
            )
        for name, least in _LEAST.items():
            if name in given and (not isinstance(given[name], int) or given[name] < least):
                raise FinpipeError(
                    f"{name} is too small",
                    where=str(path),
                    got=repr(given[name]),
                    fix=f"a whole number of at least {least}",
                )
        if "document_roles" in given:
            given["document_roles"] = tuple(given["document_roles"])
        return cls(**given)
