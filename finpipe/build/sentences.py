"""What dbt's tests are called and what they say, in words that a controller reads.

Belongs here: a check's name and description, made from the test and its arguments.
Does not belong here: what is tested (``dbt_project``), and which table a check is shown at (``keep``).
A test with a name or description of its own keeps it.  A name never repeats the table's: it stands beside it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

#: Columns that a name can hold; a longer key is "its key", and the description lists it.
_MOST_IN_NAME = 3
_WORD = re.compile(r"[a-z][a-z0-9_]*")

Arguments = Mapping[str, Any]


def name(node: Arguments, table: str) -> str:
    """Name of a test at a table, a sentence that is true of a sound table."""
    metadata = node.get("test_metadata") or {}
    if not metadata:
        return str(node["name"])
    kind = str(metadata["name"])
    if not node["name"].startswith((kind, f"source_{kind}", "dbt_")):
        return str(node["name"])  # its author named it
    made = _NAMES[kind](_arguments(node)) if kind in _NAMES else kind
    return made.removeprefix(f"{table.split('.')[1]}_")


def description(node: Arguments) -> str:
    """One or two sentences; a test in a file of its own opens with them as a comment."""
    if node["description"]:
        said = str(node["description"])
    elif metadata := node.get("test_metadata"):
        kind = metadata["name"]
        arguments = _arguments(node)
        said = _SAID[kind](arguments) if kind in _SAID else f"{kind.replace('_', ' ')}: {_listed(arguments)}."
    else:
        said = _opening(node.get("raw_code") or "") or "Returns the rows that break it: there are none."
    return " ".join(said.split())


def _opening(code: str) -> str:
    """The comment that a test's SQL opens with."""
    lines = []
    for line in code.splitlines():
        if not line.startswith("--"):
            break
        if not line.startswith("-- depends_on:"):
            lines.append(line.removeprefix("--").strip())
    return " ".join(lines)


def _arguments(node: Arguments) -> dict[str, Any]:
    given = {k: v for k, v in node["test_metadata"]["kwargs"].items() if k != "model"}
    return {**given, "column_name": node.get("column_name") or given.get("column_name") or "row"}


def _listed(arguments: Arguments) -> str:
    return ", ".join(f"{k} {v}" for k, v in sorted(arguments.items()))


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _of(reference: str) -> str:
    """Table that ``ref('x')`` or ``source('s', 'x')`` names."""
    return str(re.findall(r"'([^']+)'", reference)[-1])


def _grain_name(arguments: Arguments) -> str:
    columns = arguments["columns"]
    return f"one_row_per_{'_and_'.join(columns) if len(columns) <= _MOST_IN_NAME else 'key'}"


def _grain_said(arguments: Arguments) -> str:
    free = list(arguments.get("may_be_empty") or ())
    filled = f"only {_and(free)} may be empty" if free else "never empty"
    return f"One row per {_and(arguments['columns'])}; {filled}."


def _conserves_name(arguments: Arguments) -> str:
    if str(arguments["of_amount"]) == "0":
        return "nets_to_zero"
    amount, there = str(arguments["amount"]), _of(arguments["of"])
    if amount == "1":
        return f"rows_tie_to_{there}"
    return f"{amount}_ties_to_{there}" if _WORD.fullmatch(amount) else f"ties_to_{there}"


def _conserves_said(arguments: Arguments) -> str:
    by = str(arguments.get("by") or "currency")
    scope = "Over all rows" if by.startswith("'") else f"Per {by.replace('_', ' ')}"
    here = _sum(arguments["amount"], arguments.get("only"))
    if str(arguments["of_amount"]) == "0":
        return f"{scope}, {here} is zero."
    there = _sum(arguments["of_amount"], arguments.get("of_only"), f" in {_of(arguments['of'])}")
    return f"{scope}, {here} equals {there}, to the last decimal."


def _sum(amount: Any, only: Any, place: str = "") -> str:
    what = "the number of rows" if str(amount) == "1" else f"the sum of {amount}"
    return f"{what}{place}" + (f" (where {only})" if only else "")


def _known_said(arguments: Arguments) -> str:
    return f"{arguments['column_name']} is one of {', '.join(map(str, arguments['values']))}."


_NAMES: dict[str, Callable[[Arguments], str]] = {
    "not_null": lambda a: f"{a['column_name']}_is_present",
    "unique": lambda a: f"{a['column_name']}_is_unique",
    "accepted_values": lambda a: f"{a['column_name']}_is_known",
    "relationships": lambda a: f"{a['column_name']}_exists",
    "grain": _grain_name,
    "conserves": _conserves_name,
    "holds": lambda _: "every_row_holds",
}
_SAID: dict[str, Callable[[Arguments], str]] = {
    "not_null": lambda a: f"{a['column_name']} is filled in on every row.",
    "unique": lambda a: f"No two rows share a {a['column_name']}.",
    "accepted_values": _known_said,
    "relationships": lambda a: f"Every {a['column_name']} is a {a['field']} of {_of(a['to'])}.",
    "grain": _grain_said,
    "conserves": _conserves_said,
    "holds": lambda a: f"True of every row: {a['that']}.",
}
