"""What mappings read: the newest record of each key, under the names of its system's tables, and the steps they share.

Belongs here: temporary views and tables of one pass.  Does not belong here: which rows are superseded (raw's views).
"""

import re

import duckdb

from finpipe.conform import rules
from finpipe.conform.mapping import attempt, select_of
from finpipe.systems import System
from finpipe.warehouse import quoted

#: A table of whose rows more than one in so many is superseded is copied before mappings read it.
MOST_PASSED_OVER = 4


def show(connection: duckdb.DuckDBPyConnection, system: System, names: list[str]) -> list[str]:
    """Show the mappings of some entities the newest records of each table, and make the steps that they share; returns
    what to drop."""
    texts = [system.mappings[name].read_text(encoding="utf-8") for name in names]
    shared = {}
    for name, path in reversed(system.shared.items()):  # a step may use those before it
        if name in _words(texts):
            shared[name] = path
            texts.append(path.read_text(encoding="utf-8"))
    asked = _words(texts)
    made = [thing for t in system.tables if t in asked for thing in show_one(connection, system, t)]
    for name, path in reversed(shared.items()):
        select = select_of(path.read_text(encoding="utf-8"))
        attempt(path, connection, f"create temp table {quoted(name)} as {select}")
        made.append(f"table temp.{quoted(name)}")
    return made


def _words(texts: list[str]) -> set[str]:
    return set(re.findall(r"[a-z0-9_]+", " ".join(texts).lower()))


def show_one(connection: duckdb.DuckDBPyConnection, system: System, table: str) -> list[str]:
    """Show the newest records of one table under its name; returns what to drop.

    They are read where LOAD put them, compressed and only the columns that are asked for: a copy of a large company's
    would not fit into memory. Where many rows are superseded they are copied after all, or each look would pass over
    all the others again.
    """
    raw, old = f"raw.raw_{system.name}.{quoted(table)}", f"temp.{quoted(f'superseded {table}')}"
    connection.execute(f"create temp table {old} as from raw.superseded_{system.name}.{quoted(table)}")
    ((rows, superseded),) = connection.execute(
        f"select (select count(*) from {raw}), (select count(*) from {old})"
    ).fetchall()
    kind = "table" if superseded * MOST_PASSED_OVER > rows else "view"
    newest = f"select * from {raw} where _active and rowid not in (from {old})"
    connection.execute(f"create temp {kind} {quoted(table)} as {newest}")
    if superseded:  # nearly always no key came twice, and nothing can contradict itself
        rules.note_rivals(connection, system, table, old)
    return [f"table {old}", f"{kind} temp.{quoted(table)}"]
