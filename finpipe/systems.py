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

ROLES = ("crm", "billing", "erp", "bank", "control", "decisions")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{0,60}")
#: Settings of a company that change no figure; its systems are told by what they are, settings merged in.
_NOT_OF_FIGURES = ("memory_limit", "threads", "keep_publications", "systems")
#: Names of columns that raw tables have beside those described, and that of DuckDB's own.
TAKEN = ("_load_seq", "_row", "_key", "_version", "_active", "_deleted", "_hash", "rowid")
#: Settings that change nothing about how extracts become raw rows.
_NOT_OF_READING = ("due", "references", "variables", "replaces", "key_prefixes", "unique_ids")


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

    @property
    def replaces(self) -> str | None:
        """The system of the same role whose history this one goes on with."""
        found = self.settings.get("replaces")
        return str(found) if found else None

    @property
    def key_prefixes(self) -> dict[str, str]:
        """By role, what stands before native ids in keys, so that equal ids of two systems stay apart."""
        return {str(role): str(prefix) for role, prefix in self.settings.get("key_prefixes", {}).items()}

    @cached_property
    def fingerprint(self) -> str:
        """Changes when anything that decides how extracts become raw rows changes."""
        facts = (
            self.name,
            self.role,
            sorted(map(repr, self.tables.values())),
            {k: v for k, v in sorted(self.settings.items()) if k not in _NOT_OF_READING},
        )
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def find_systems(home: Home) -> dict[str, System]:
    """Every system whose description can be read, by name; ``broken_systems`` says of the others why not.

    Raises ``FinpipeError`` for what the company's own ``finpipe.toml`` cannot mean.
    """
    return _find(home)[0]


def broken_systems(home: Home) -> dict[str, FinpipeError]:
    """Systems that are set aside because their description cannot be read, each with the reason."""
    return _find(home)[1]


def _find(home: Home) -> tuple[dict[str, System], dict[str, FinpipeError]]:
    found: dict[str, System] = {}
    broken: dict[str, FinpipeError] = {}
    for description in (path for root in home.sources for path in sorted(root.glob("*/system.toml"))):
        name = description.parent.name
        if name in found or name in broken:
            found.pop(name, None)
            error, fix = "two folders describe the same system", "rename one of the folders"
            broken[name] = FinpipeError(error, where=str(description), got=name, fix=fix)
            continue
        try:
            found[name] = read_system(description, home.config.systems.get(name, {}))
        except FinpipeError as problem:
            broken[name] = problem
    for name in sorted(set(home.config.systems) - set(found) - set(broken)):
        if (model := home.config.systems[name].get("like")) in broken:
            broken[name] = broken[model]
            continue
        try:
            found[name] = _another(home, found, name)
        except _BrokenError as problem:
            broken[name] = problem
    # Two systems that tell one history are told together, or both stay as they were.
    for name, said in home.config.systems.items():
        old = said.get("replaces")
        if old in broken or (name in broken and old in found):
            broken[name] = broken[str(old)] = broken.get(name) or broken[str(old)]
            found = {n: s for n, s in found.items() if n not in (name, old)}
    for system in found.values():
        _judge_replacement(home, found, system)
    return found, broken


def settings_version(home: Home) -> str:
    """Changes with anything but code, policy and data that figures follow from: settings, descriptions, mappings."""
    said = {k: v for k, v in sorted(vars(home.config).items()) if k not in _NOT_OF_FIGURES}
    total = hashlib.sha256(repr(said).encode())
    for name, system in sorted(find_systems(home).items()):
        settings = sorted((k, v) for k, v in system.settings.items() if k != "due")
        total.update(repr((name, system.fingerprint, settings)).encode())
        for path in (*system.shared.values(), *system.mappings.values()):
            total.update(f"{path.name}\n".encode() + path.read_bytes())
    return total.hexdigest()[:12]


def _another(home: Home, described: dict[str, System], name: str) -> System:
    """A further system of a described product: ``[systems.<name>] like = "…"`` in ``finpipe.toml``.

    It is described as that system is in this company, with what is said of itself laid over.  Where the product's ids
    are not unique the world over, its keys get a prefix, so that two accounts never share a record by chance.
    """
    given = dict(home.config.systems[name])
    model = described.get(given.pop("like", ""))
    if model is None or (model.name in home.config.systems and "like" in home.config.systems[model.name]):
        folders = ", ".join(sorted(n for n, s in described.items() if s.folder.name == n))
        raise FinpipeError(
            "a system is configured that no folder describes",
            where=f"{home.root / 'finpipe.toml'}, [systems.{name}]",
            got=f"like = {home.config.systems[name].get('like')!r}",
            fix=f"correct its name, or say of which product it is: like = one of {folders}",
        )
    inherited = {k: v for k, v in home.config.systems.get(model.name, {}).items() if k != "replaces"}
    if not (given.get("replaces") or model.settings.get("unique_ids")):
        given["key_prefixes"] = {model.role: f"{name}."} | given.get("key_prefixes", {})
    return read_system(model.folder / "system.toml", _merge(inherited, given), name)


def _judge_replacement(home: Home, found: dict[str, System], system: System) -> None:
    """Refuse a replacement of nothing, of another role, or in a chain."""
    if (old := system.replaces) is None:
        return
    rivals = [s.name for s in found.values() if s.replaces == old and s is not system]
    if old in found and found[old].role == system.role and old != system.name and not found[old].replaces:
        if not rivals:
            return
        got = f"{', '.join(rivals)} replaces {old} too"
    else:
        got = f"replaces = {old!r}"
    raise FinpipeError(
        "a system cannot replace another so",
        where=f"{home.root / 'finpipe.toml'}, [systems.{system.name}]",
        got=got,
        fix=f"name one system of role {system.role} that replaces none itself and that no other replaces",
    )


def read_system(description: Path, overrides: dict[str, Any], name: str | None = None) -> System:
    """Read one ``system.toml``, with the company's overrides merged in; ``name`` if it is not the folder's."""
    try:
        return _read(description, overrides, name)
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise _broken(description, str(problem)) from None


def _read(description: Path, overrides: dict[str, Any], name: str | None) -> System:
    given = _merge(tomllib.loads(description.read_text(encoding="utf-8")), overrides)
    references = given.get("references", {})
    name = name or description.parent.name
    if not _NAME.fullmatch(name):
        raise _broken(description, f"system name {name!r}: lower-case letters, digits and _ only")
    for role, prefix in given.get("key_prefixes", {}).items():
        if role not in ROLES or not _PREFIX.fullmatch(str(prefix)):
            raise _broken(description, f"key_prefixes {role} = {prefix!r}: a role, and letters, digits, _ . - only")
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
    if taken := sorted(n for n in names if n.lower() in TAKEN):
        raise _broken(
            description, f"{where} has columns {', '.join(taken)}: call them otherwise, as in 'row_id | rowid'"
        )
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


class _BrokenError(FinpipeError):
    """A description that cannot be read: its system is set aside, and the others go on."""


def _broken(description: Path, got: str) -> FinpipeError:
    return _BrokenError(
        "a system's description is broken",
        where=str(description),
        got=got,
        fix="correct it; docs/howto/add_a_system.md shows every key",
    )
