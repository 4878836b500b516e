"""Columns that a table's extracts lose: earlier files filled them, a later file's header does not have them.

Belongs here: noticing and saying it.  Does not belong here: refusing a file, which only a required column does.
A renamed column that is not required would otherwise be empty from that day on, without a word.
"""

from collections.abc import Iterable

import duckdb

from finpipe.ingest import raw
from finpipe.ingest.extract import Part
from finpipe.systems import System
from finpipe.warehouse import quoted

#: Names that a remark lists; more say no more.
MAX_NAMES = 12


def lost_columns(
    connection: duckdb.DuckDBPyConnection, parts: Iterable[tuple[int, System, Part]]
) -> dict[tuple[int, str], str]:
    """Remarks on parts whose rows are in raw already, by load sequence and table."""
    groups: dict[str, list[tuple[int, Part]]] = {}
    for seq, system, part in parts:
        if part.absent:
            groups.setdefault(raw.name_of(system, part.table), []).append((seq, part))
    found = {}
    for table, group in groups.items():
        first = _first_filled(connection, table, sorted({c for _, part in group for c in part.absent}))
        for seq, part in group:
            if lost := [c for c in part.absent if first.get(c, seq) < seq]:
                found[seq, part.table.name] = _remark(lost, part.unread)
    return found


def _first_filled(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> dict[str, int]:
    """The first load that brought a value of each column; columns that never had one are left out."""
    each = ", ".join(f"min(_load_seq) filter (where {quoted(c)} is not null)" for c in columns)
    values = connection.execute(f"select {each} from {table}").fetchall()[0]
    return {c: seq for c, seq in zip(columns, values, strict=True) if seq is not None}


def _remark(lost: list[str], unread: tuple[str, ...]) -> str:
    names = ", ".join(unread[:MAX_NAMES]) or "none"
    return f"earlier files have {', '.join(lost)}, this one does not (renamed? its columns that nothing reads: {names})"
