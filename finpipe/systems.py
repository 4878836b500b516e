"""What a system is: one folder below ``sources/`` with a ``system.toml`` and one mapping per entity it feeds.

Belongs here: reading and checking descriptions.  Adding a system is adding a folder; nothing lists them.
Does not belong here: reading extracts (``ingest``) and running mappings (``conform``).
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.settings import Home

ROLES = ("crm", "billing", "erp", "bank", "control")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True)
class Source:
    """One column of a table: its name in raw, and where extracts may show it (first that is there)."""

    name: str
    aliases: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Source":
        """``"customer | customer_id | customer.id"``: raw name first, then other spellings; dots descend."""
        names = [part.strip() for part in text.split("|")]
        return cls(names[0], tuple(names))


@dataclass(frozen=True)
class Table:
    """One table of a system, as its ``[tables.<name>]`` describes it."""

    name: str
    columns: tuple[Source, ...]
    #: Columns that identify a record; empty = the content itself, counted within its file.
    key: tuple[str, ...] = ()
    #: Columns with the record's modification time; the first that is filled in wins.
    version: tuple[str, ...] = ()
    #: Columns without which a file is not this table; ``"debit | credit"`` asks for one of several.
    required: tuple[str, ...] = ()
    #: Columns that mark a record as deleted when true.
    deleted: tuple[str, ...] = ()
    #: Columns that mark a row as mere history when false.
    active: tuple[str, ...] = ()
    #: File names (without affixes) beyond the table's own name and its plural.
    names: tuple[str, ...] = ()
    #: Value of the system's ``kind`` member that marks a JSON object as a row of this table.
    kind: str | None = None
    #: ``<table>.<path>``: rows are also found embedded in that list of another table's JSON objects.
    embedded: tuple[str, ...] = ()
    #: Column to keep control totals of.
    measure: str | None = None

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the table's columns in raw."""
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True)
class System:
    """A system as its folder describes it."""

    name: str
    folder: Path
    role: str
    owner: str
    about: str
    tables: dict[str, Table]
    settings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def mappings(self) -> dict[str, Path]:
        """``<entity>.sql`` files by entity."""
        return {path.stem: path for path in sorted(self.folder.glob("[a-z]*.sql"))}

    @cached_property
    def shared(self) -> dict[str, Path]:
        """``_<name>.sql`` files by name: steps that several mappings of the system use, run in order of their names."""
        return {path.stem.removeprefix("_"): path for path in sorted(self.folder.glob("_*.sql"))}

    @property
    def references(self) -> dict[str, str]:
        """Names of the company's own columns that hold other systems' ids."""
        return dict(self.settings.get("references", {}))

    @property
    def variables(self) -> dict[str, str]:
        """Values that mappings read with ``getvariable``: the company's own words, and names of its own fields."""
        given = {**self.references, **self.settings.get("variables", {})}
        return {name: str(value) for name, value in given.items()}

    @cached_property
    def fingerprint(self) -> str:
        """Changes when anything that decides how extracts become raw rows changes."""
        facts = (
            self.name,
            self.role,
            sorted(map(repr, self.tables.values())),
            {k: v for k, v in sorted(self.settings.items()) if k not in ("due", "references", "variables")},
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def find_systems(home: Home) -> dict[str, System]:
    """Every described system by name; raises ``FinpipeError`` for a broken or doubly named one."""
    found: dict[str, System] = {}
    for root in home.sources:
        for description in sorted(root.glob("*/system.toml")):
            name = description.parent.name
            if name in found:
                raise FinpipeError(
                    "two folders describe the same system",
                    where=str(description),
                    got=name,
                    fix="rename one of the folders",
                )
            found[name] = read_system(description, home.config.systems.get(name, {}))
    return found


def read_system(description: Path, overrides: dict[str, Any]) -> System:
    """Read one ``system.toml``, with the company's overrides merged in."""
    try:
        given = tomllib.loads(description.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise _broken(description, str(problem)) from None
    given = _merge(given, overrides)
    references = given.get("references", {})
    name = description.parent.name
    if not _NAME.fullmatch(name):
        raise _broken(description, f"folder name {name!r}: lower-case letters, digits and _ only")
    if given.get("role") not in ROLES:
        raise _broken(description, f"role = {given.get('role')!r}: one of {', '.join(ROLES)}")
    tables = {t: _table(description, t, spec, references) for t, spec in given.pop("tables", {}).items()}
    return System(
        name,
        description.parent,
        given.pop("role"),
        given.pop("owner", "data platform"),
        given.pop("about", ""),
        tables,
        given,
    )


def _table(description: Path, name: str, spec: dict[str, Any], references: dict[str, str]) -> Table:
    """Read one ``[tables.<name>]``; ``{reference}`` in a column stands for the company's own field."""
    where = f"[tables.{name}]"
    if not _NAME.fullmatch(name):
        raise _broken(description, f"{where}: lower-case letters, digits and _ only")
    known = {f for f in Table.__dataclass_fields__ if f != "name"}
    if unknown := sorted(set(spec) - known):
        raise _broken(description, f"{where} has {', '.join(unknown)}: known are {', '.join(sorted(known))}")
    try:
        columns = tuple(Source.parse(c.format(**references)) for c in spec.get("columns", ()))
    except KeyError as missing:
        raise _broken(description, f"{where} uses reference {missing} that [references] does not name") from None
    if not columns:
        raise _broken(description, f"{where} names no columns")
    names = {c.name for c in columns}
    for rule in ("key", "version", "required", "deleted", "active"):
        listed = {part.strip() for text in spec.get(rule, ()) for part in text.split("|")}
        if strange := sorted(listed - names):
            raise _broken(description, f"{where} {rule} names {', '.join(strange)}, which is not among its columns")
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in spec.items() if k != "columns"}
    return Table(name=name, columns=columns, **given)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``, table by table."""
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        merged[name] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _broken(description: Path, got: str) -> FinpipeError:
    return FinpipeError(
        "a system's description is broken",
        where=str(description),
        got=got,
        fix="correct it; docs/howto/add_a_system.md shows every key",
    )
