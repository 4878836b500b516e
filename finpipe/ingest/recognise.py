"""Which table of a system a file feeds, told by its name, its folder's name, or the objects in it.

Belongs here: names and a look at the first objects.  Does not belong here: reading a file in full (``read``), which
decides object by object for JSON of systems with a ``kind`` member.  What is said here only labels the landing.
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from finpipe.errors import FinpipeError
from finpipe.ingest import limits, peek
from finpipe.ingest.names import snake, squash
from finpipe.systems import System, Table

#: Label of a landed file whose objects feed several tables.
MIXED = "_mixed"
CSV, JSON, PARQUET, MT940 = "csv", "json", "parquet", "mt940"
FORMATS = {
    ".csv": CSV,
    ".tsv": CSV,
    ".txt": CSV,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".parquet": PARQUET,
    ".sta": MT940,
    ".940": MT940,
    ".mt940": MT940,
}
#: Tokens that number a delivery and say nothing about its table.
_NUMBERING = re.compile(r"\d+|\d*t\d+|z|t?\d+z|\d*t\d+z|(part|page|batch|chunk|p|v)\d*|\d{4}q\d|q\d")


def extension(name: str) -> str:
    """The part of a file name that tells its format: ``.csv``, ``.jsonl.gz``, …"""
    suffixes = [s.lower() for s in Path(name).suffixes]
    if suffixes[-1:] == [".gz"]:
        return "".join(suffixes[-2:])
    return "".join(suffixes[-1:])


def format_of(name: str) -> str | None:
    """The format that a file name promises, or None."""
    return FORMATS.get(extension(name).removesuffix(".gz"))


def recognise(system: System, path: Path, *, name: str | None = None, folder: str | None = None) -> str:
    """The table that a file feeds, or ``_mixed``; raises ``FinpipeError`` when none is told by name or content."""
    name = name or path.name
    kind = format_of(name)
    if kind is None:
        raise _unknown(system, name, "its extension is none of " + ", ".join(FORMATS))
    if kind == MT940:
        return lines_table(system)
    named = table_by_name(system, name, path.parent.name if folder is None else folder)
    if kind == JSON and kind_member(system):
        return _by_content(system, path, name, named)
    if named is None:
        raise _unknown(system, name, "its name is none of them")
    return named


def table_by_name(system: System, name: str, folder: str = "") -> str | None:
    """The table that a file name says, else the one its folder's name says, else None."""
    stem = name[: len(name) - len(extension(name))] if extension(name) else name
    return _named(system, stem) or (_named(system, folder) if folder else None)


def kind_member(system: System) -> str | None:
    """The JSON member that tells the table of an object of this system."""
    found = system.settings.get("json", {}).get("kind")
    return str(found) if found else None


def tables_by_kind(system: System) -> dict[str, Table]:
    """Tables that objects find by their kind."""
    return {t.kind: t for t in system.tables.values() if t.kind}


def lines_table(system: System) -> str:
    """The table of MT940 statement lines; raises ``FinpipeError`` for a system that takes none."""
    name = str(system.settings.get("mt940", {}).get("lines", "statement_line"))
    if name not in system.tables:
        raise FinpipeError(
            f"{system.name} takes no MT940 statements",
            where=str(system.folder / "system.toml"),
            got=f"no table {name}",
            fix="land the file to a bank system, or describe the table",
        )
    return name


def _named(system: System, stem: str) -> str | None:
    """The table whose name, plural or other name equals the stem after affixes are stripped."""
    spellings = {word: t.name for t in system.tables.values() for word in _spellings(t)}
    for tokens in _strippings(system, [t for t in snake(stem).split("_") if t]):
        if found := spellings.get("".join(tokens)):
            return found
    return None


def _spellings(table: Table) -> Iterator[str]:
    """A table's name and other names with their plurals, underscores ignored."""
    for name in map(squash, (table.name, *table.names)):
        yield from (name, name + "s", name + "es")
        if name.endswith("y"):
            yield name[:-1] + "ies"


def _strippings(system: System, tokens: list[str]) -> Iterator[list[str]]:
    """The stem's tokens, with fewer and fewer affixes: what is least stripped comes first."""
    prefixes = {squash(p) for p in system.settings.get("prefixes", ())} | {squash(system.name)}
    suffixes = {squash(s) for s in system.settings.get("suffixes", ())}
    starts = [0]
    while (n := starts[-1]) < len(tokens) and (tokens[n] in prefixes or tokens[n].isdigit()):
        starts.append(n + 1)
    ends = [len(tokens)]
    while (n := ends[-1] - 1) > 0 and (tokens[n] in suffixes or _NUMBERING.fullmatch(tokens[n])):
        ends.append(n)
    for end in ends:
        for start in starts:
            if start < end:
                yield tokens[start:end]


def _by_content(system: System, path: Path, name: str, named: str | None) -> str:
    """The table of the objects at the file's start; several kinds make the file ``_mixed``."""
    known = tables_by_kind(system)
    kinds = peek.kinds(head(path, name), system.settings.get("json", {}))
    tables = {known[k].name for k in kinds if k in known}
    if len(tables) == 1 and kinds <= set(known):
        return tables.pop()
    if tables:
        return MIXED
    if named is not None and not (kinds and system.tables[named].kind):
        return named
    seen = ", ".join(sorted(kinds)) or "none"
    raise _unknown(system, name, f"its objects are of kind {seen}")


def head(path: Path, name: str) -> bytes:
    """The first bytes of a file, unpacked."""
    with path.open("rb") as file:
        if not name.lower().endswith(".gz"):
            return file.read(limits.PEEK_BYTES)
        try:
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read(limits.PEEK_BYTES)
        except (OSError, EOFError, zlib.error):
            return b""


def _unknown(system: System, name: str, why: str) -> FinpipeError:
    return FinpipeError(
        f"this file feeds no table of {system.name}",
        where=name,
        got=why,
        fix="name the file after its table: " + ", ".join(sorted(system.tables)),
    )
