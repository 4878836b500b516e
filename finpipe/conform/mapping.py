"""One mapping: its SQL, run over its system's tables, and what it must state.

Belongs here: running a mapping into temp table ``mapped``.  Does not belong here: which mappings run (``run``), what
the gate decides.
"""

from pathlib import Path
from typing import Any

import duckdb

from finpipe.contracts import Canonical, own_columns
from finpipe.contracts.base import MAPPING_COLUMNS
from finpipe.errors import FinpipeError
from finpipe.warehouse import quoted, raise_of_machine


def map_into(connection: duckdb.DuckDBPyConnection, path: Path, entity: type[Canonical]) -> None:
    """Run one mapping into temp table ``mapped``: the contract's columns as text, with lineage."""
    select = select_of(path.read_text(encoding="utf-8"))
    given = {row[0] for row in attempt(path, connection, f"describe {select}")}
    _check_columns(path, given, entity)
    listed = [_listed(c.name, given) for c in own_columns(entity)]
    lineage = [
        "coalesce(is_deleted, false) as is_deleted",
        "cast(source_table as varchar) as source_table",
        "cast(load_seq as bigint) as load_seq",
        "cast(row_number as bigint) as row_number",
        "cast(valid_from as varchar) as valid_from",
    ]
    attempt(
        path,
        connection,
        "create or replace temp table mapped as select (row_number() over ()) - 1 as mapped_row, "
        f"{', '.join(listed + lineage)} from ({select}) as mapping",
    )


def select_of(text: str) -> str:
    """The one SELECT of a file, without what follows it; a comment at its end needs its line."""
    return text.strip().rstrip(";") + "\n"


def attempt(path: Path, connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL that the file ``path`` decided; raises ``FinpipeError`` that names it.

    Too little disk or memory is no mistake of the file: the run stops, and nothing is set aside or published for it.
    """
    try:
        return connection.execute(sql).fetchall()
    except duckdb.Error as problem:
        problem.add_note(f"while {path} ran")
        raise_of_machine(problem)
        raise FinpipeError(
            "a mapping does not run",
            where=str(path),
            got=str(problem).splitlines()[0],
            fix="correct the SQL; the tables and columns it may use are those of system.toml",
        ) from None


def _listed(column: str, given: set[str]) -> str:
    """One column of ``mapped``: empty text is no text."""
    return (
        f"nullif(cast({quoted(column)} as varchar), '') as {column}"
        if column in given
        else f"null::varchar as {column}"
    )


def _check_columns(path: Path, given: set[str], entity: type[Canonical]) -> None:
    own = {c.name: c for c in own_columns(entity)}
    if strange := sorted(given - set(own) - set(MAPPING_COLUMNS)):
        raise FinpipeError(
            "a mapping states columns that its contract does not have",
            where=str(path),
            got=", ".join(strange),
            fix=f"columns of {path.stem}: {', '.join(own)}",
        )
    needed = {n for n, c in own.items() if not c.nullable} | set(MAPPING_COLUMNS)
    if missing := sorted(needed - given):
        raise FinpipeError(
            "a mapping leaves out columns that its contract needs",
            where=str(path),
            got=", ".join(missing),
            fix="state them; columns that may be null can be left out",
        )
