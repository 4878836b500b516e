"""What every reader shares: the parts it hands over, and finding a table's columns among a file's names.

Belongs here: matching of declared columns to found names, the sentences when they do not match.
Does not belong here: any one format.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest.names import snake, squash
from finpipe.systems import System, Table
from finpipe.warehouse import literal


@dataclass(frozen=True)
class Part:
    """Rows of one table out of one landed file.

    Parquet, text columns ``c0, c1, …`` in declared order, rows in file order. Plain names, because dlt would rename
    (and so rewrite) what its naming convention does not like.
    """

    table: Table
    path: Path
    rows: int
    notes: tuple[str, ...] = ()
    #: Declared columns that a file of one shape (CSV, parquet) has, and those of them that hold any value.
    columns: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    page: "Page | None" = None


@dataclass(frozen=True)
class Page:
    """What a page of an API says of the whole: rows in all, and how many lie on the pages before it, if it says."""

    stated_rows: int
    offset: int | None


@dataclass(frozen=True)
class Job:
    """One landed file on its way into parquet."""

    system: System
    #: Table that landing recognised, or ``_mixed``.
    label: str
    name: str
    path: Path
    #: Throw-away folder of this file alone.
    folder: Path
    load_seq: int
    connection: duckdb.DuckDBPyConnection
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rows:
    """One origin of a table's rows: SQL per raw column (absent ones are null) over a relation in file order."""

    values: Mapping[str, str]
    relation: str


class MissingColumnError(FinpipeError):
    """A file lacks columns without which it is not its table: ``missing`` names them."""

    def __init__(self, missing: str, *, hint: str, where: str, got: str, fix: str) -> None:
        """Say which columns are missing, and what looks like them."""
        super().__init__(f"required column {missing} is missing{hint}", where=where, got=got, fix=fix)
        self.missing = missing


def write_part(job: Job, table: Table, origins: Sequence[Rows]) -> Part:
    """Write one table's rows as parquet of text columns in one statement."""
    target = job.folder / f"{table.name}.parquet"
    selects = [f"select {_columns(job, table, rows)} from {rows.relation}" for rows in origins]
    done = job.connection.execute(
        f"copy ({' union all '.join(selects)}) to {literal(target)} (format parquet, compression snappy)"
    ).fetchall()
    return Part(table, target, int(done[0][0]))


def with_columns(part: Part, found: Iterable[str], notes: tuple[str, ...] = ()) -> Part:
    """Add to a flat file's part which declared columns it has and, by parquet's own counts, which hold values."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    there, facts = set(found), pq.read_metadata(part.path)
    nulls = [0] * len(part.table.columns)
    for group in range(facts.num_row_groups):
        for at in range(len(nulls)):
            counts = facts.row_group(group).column(at).statistics
            nulls[at] += counts.null_count if counts is not None and counts.has_null_count else 0
    named = [(c, n) for c, n in zip(part.table.column_names, nulls, strict=True) if c in there]
    return replace(
        part, notes=notes, columns=tuple(c for c, _ in named), filled=tuple(c for c, n in named if n < part.rows)
    )


def _columns(job: Job, table: Table, rows: Rows) -> str:
    columns = [f"{rows.values.get(c, 'null')}::varchar as c{i}" for i, c in enumerate(table.column_names)]
    return ", ".join([*columns, f"{job.load_seq}::bigint as _load_seq"])


def found_columns(table: Table, names: Sequence[str]) -> dict[str, list[str]]:
    """For every declared column the names of a flat file that hold it, best first; columns without are left out."""
    exact: dict[str, list[str]] = {}
    loose: dict[str, list[str]] = {}
    for name in names:
        exact.setdefault(snake(name), []).append(name)
        loose.setdefault(squash(name), []).append(name)
    found = {}
    for column in table.columns:
        flat = [a for a in column.aliases if not a.startswith(("^", "#"))]
        hits = [n for a in flat for n in exact.get(snake(a), ()) or loose.get(squash(a), ())]
        if hits:
            found[column.name] = list(dict.fromkeys(hits))
    return found


def refuse_repeated(name: str, names: Iterable[str]) -> None:
    """Refuse a header in which two columns have the same name once normalised."""
    listed = list(names)
    seen: dict[str, str] = {}
    for number, column in enumerate(listed, 1):
        if (first := seen.setdefault(snake(column), column)) is not column:
            raise FinpipeError(
                "two columns have the same name",
                where=name,
                got=f"columns {listed.index(first) + 1} and {number} of {len(listed)}",
                fix="rename or remove one of them in the export",
            )
        if not column.strip():
            raise FinpipeError(
                "a column has no name",
                where=name,
                got=f"column {number} of {len(listed)}",
                fix="name it in the export",
            )


def refuse_missing(job: Job, table: Table, present: Iterable[str], names: Sequence[str]) -> None:
    """Refuse a file without a required column, naming what looks like it, or the table it rather is."""
    there = set(present)
    choices = [[part.strip() for part in r.split("|")] for r in table.required or table.key]
    missing = [" or ".join(choice) for choice in choices if there.isdisjoint(choice)]
    if not missing:
        return
    wanted = snake(missing[0].split(" or ", 1)[0])
    is_header = _is_header(job.system, names)
    close = difflib.get_close_matches(wanted, [snake(n) for n in names] if is_header else [], n=2, cutoff=0.6)
    hint = f" (renamed to {' or '.join(close)}?)" if close else ""
    other = "" if close else _rather(job.system, table, names)
    raise MissingColumnError(
        ", ".join(missing),
        hint=hint,
        where=f"{job.name} as {job.system.name}.{table.name}",
        got="columns " + ", ".join(names)[:600] if is_header else f"{len(names)} columns, of which none is known",
        fix=other
        or "restore the column in the export, or add its new name to "
        f"[tables.{table.name}] columns in sources/{job.system.folder.name}/system.toml",
    )


def _is_header(system: System, names: Sequence[str]) -> bool:
    """Whether a first line is one of names: in a file without a header it is a row, which no message may repeat."""
    known = {squash(alias) for table in system.tables.values() for column in table.columns for alias in column.aliases}
    return any(squash(name) in known for name in names)


def _rather(system: System, table: Table, names: Sequence[str]) -> str:
    """Say which other table of the system a header fits much better, if any."""
    have = {squash(n) for n in names}

    def fit(t: Table) -> float:
        hits = sum(any(squash(a) in have for a in c.aliases) for c in t.columns)
        return hits / max(len(have), 1)

    best = max(system.tables.values(), key=fit)
    if best is not table and fit(best) >= 0.6:
        return f"this looks like {system.name}.{best.name}: name the file so and land it again"
    if fit(table) < 0.3:
        return f"this does not look like a file of {system.name}: land it to the system it comes from"
    return ""


def one_of(expressions: Sequence[str]) -> str:
    """The first that is not null."""
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"
