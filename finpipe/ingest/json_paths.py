"""From a table's aliases to members of JSON objects.

Belongs here: which paths to extract and in which order they count.  Does not belong here: running the extraction.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from finpipe.ingest.extract import one_of
from finpipe.ingest.names import snake, squash
from finpipe.systems import Table
from finpipe.warehouse import literal

_STEP = re.compile(r"(?P<name>[^\[\]]+)(?P<index>(?:\[\d+\])*)")
#: Alias of an element's position in its list, and the mark of a parent's member.
POSITION, PARENT = "#", "^"


def json_path(steps: Iterable[str]) -> str:
    """``("charges", "data[0]", "id")`` → ``$."charges"."data"[0]."id"``."""
    path = "$"
    for step in steps:
        parts = _STEP.fullmatch(step)
        name, index = (parts["name"], parts["index"]) if parts else (step, "")
        path += '."' + name.replace('"', '\\"') + '"' + index
    return path


def paths(alias: str, keys: Collection[str]) -> list[str]:
    """Paths at which objects with these members hold an alias: as one flattened member, or descending."""
    first, *rest = alias.split(".")
    name, bracket, index = first.partition("[")
    found = []
    if not bracket:
        found += [json_path([k]) for k in _same(alias, keys)]
    if rest or bracket:
        found += [json_path([k + bracket + index, *rest]) for k in _same(name, keys)]
    return list(dict.fromkeys(found))


def _same(name: str, keys: Collection[str]) -> list[str]:
    """Members with this name: spelled so, else normalised, else without underscores."""
    if name in keys:
        return [name]
    exact = [k for k in keys if snake(k) == snake(name)]
    return exact or [k for k in keys if squash(k) == squash(name)]


@dataclass(frozen=True)
class Extraction:
    """SQL expressions per raw column, and the two lists of paths that they index (``v``: object, ``p``: parent)."""

    values: dict[str, str]
    own: list[str]
    parent: list[str]


def extraction(table: Table, keys: Collection[str], parent_keys: Collection[str] | None) -> Extraction:
    """How to get a table's columns out of objects with these members. ``parent_keys`` is given for embedded rows."""
    own: list[str] = []
    parent: list[str] = []
    values = {}
    for column in table.columns:
        found = []
        for alias in _prefixes_last(column.aliases):
            if alias == POSITION:
                found += ["position"] if parent_keys is not None else []
            elif alias.startswith(PARENT):
                found += [_item("p", parent, path) for path in paths(alias[1:], parent_keys or ())]
            else:
                found += [_item("v", own, path) for path in paths(alias, keys)]
        if found:
            values[column.name] = one_of(found)
    return Extraction(values, own, parent)


def _item(name: str, seen: list[str], path: str) -> str:
    """An item of an extracted list; empty text is null."""
    if path not in seen:
        seen.append(path)
    return f"nullif({name}[{seen.index(path) + 1}], '')"


def _prefixes_last(aliases: Sequence[str]) -> list[str]:
    """``charge`` after ``charge.id``: an expanded reference then gives its id, a plain one itself."""
    order = list(aliases)
    for alias in aliases:
        longer = [i for i, a in enumerate(order) if a.startswith(alias + ".")]
        if longer and order.index(alias) < longer[-1]:
            order.remove(alias)
            order.insert(longer[-1], alias)
    return order


def path_list(found: Sequence[str]) -> str:
    """An SQL list of paths."""
    return "[" + ", ".join(map(literal, found)) + "]"
