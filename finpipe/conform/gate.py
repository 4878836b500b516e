"""The gate: mapped text becomes canonical rows, or goes to quarantine with every reason.

Belongs here: typing, the contract's rules (pandera), and moving rows to one side or the other.
Does not belong here: rules across rows (``rules``) and what a field means (the mapping).
Frames are checked eagerly, a chunk at a time: pandera skips data checks on lazy frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pandera.errors
import polars as pl

from finpipe.conform.given import given
from finpipe.contracts import Canonical, Column, columns, key_of, own_columns, version_of
from finpipe.contracts.base import Canonical as Base
from finpipe.contracts.parse import Parsed, parse, parse_instant, what_is_expected
from finpipe.systems import System
from finpipe.warehouse import literal, quoted

#: Rows typed and validated at once: bounds memory, costs nothing in speed.
CHUNK_ROWS = 200_000
#: Reasons kept for one row; the rest says no more about how to mend it.
MAX_REASONS = 12


@dataclass(frozen=True)
class Refusals:
    """Rows of a chunk that the contract refuses: position in the chunk and all reasons in one text."""

    frame: pl.DataFrame  # columns: position (u32), reasons (str)


def pass_gate(connection: duckdb.DuckDBPyConnection, system: System, name: str, entity: type[Canonical]) -> None:
    """Move the rows of temp table ``mapped`` into ``canonical.<name>`` or ``quarantine.rows``."""
    for first, text in _chunks(connection):
        parsed = parse(text, entity)
        refusals = _refusals(text, parsed, entity)
        _keep(connection, text, parsed, refusals, system, name, entity)
        if refusals.frame.height:
            _quarantine(connection, first, refusals, system, name, entity)


def _chunks(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, pl.DataFrame]]:
    """The mapped rows in chunks, each with the ``mapped_row`` of its first."""
    total = connection.execute("select coalesce(max(mapped_row) + 1, 0) from mapped").fetchall()[0][0]
    for first in range(0, total, CHUNK_ROWS):
        last = first + CHUNK_ROWS - 1
        chunk = f"select * from mapped where mapped_row between {first} and {last} order by mapped_row"
        yield first, connection.sql(chunk).pl()


def _refusals(text: pl.DataFrame, parsed: Parsed, entity: type[Canonical]) -> Refusals:
    """Every reason against every row of a chunk; deleted records are not held to the contract."""
    by_name = {c.name: c for c in own_columns(entity)}
    reasons = [_unparsed(text, by_name[column], mask) for column, mask in parsed.failed.items()]
    reasons += _violations(parsed, entity, by_name)
    if not reasons:
        return Refusals(pl.DataFrame(schema={"position": pl.UInt32, "reasons": pl.String}))
    listed = (
        pl.concat(reasons)
        .group_by("position")
        .agg(pl.col("reason").unique(maintain_order=True).head(MAX_REASONS).str.join("; ").alias("reasons"))
    )
    return Refusals(listed.sort("position"))


def _unparsed(text: pl.DataFrame, column: Column, mask: pl.Series) -> pl.DataFrame:
    """One sentence for each cell that is not what its column's type demands."""
    return (
        text.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("position"), pl.col(column.name))
        .filter(mask)
        .select(
            "position",
            reason=pl.format(
                "{} is '{}': expected {}",
                pl.lit(column.name),
                pl.col(column.name).str.slice(0, 80),
                pl.lit(what_is_expected(column)),
            ),
        )
    )


def _violations(parsed: Parsed, entity: type[Canonical], by_name: dict[str, Column]) -> list[pl.DataFrame]:
    """One sentence for each rule of the contract that a row breaks."""
    try:
        _own_schema(entity).validate(parsed.frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases: pl.DataFrame = errors.failure_cases
        # What is wrong with no row is wrong with the frame. Its columns are named, and no cell of anybody's record.
        if (whole := cases.filter(pl.col("index").is_null())).height:
            said = ", ".join(f"{check} {what}" for check, what in whole.select("check", "failure_case").iter_rows())
            raise RuntimeError(f"the frame itself breaks the contract of {entity.__name__}: {said}") from errors
        return [
            _violation(parsed, by_name, *case)
            for case in cases.group_by("column", "check").agg(pl.col("index")).sort("column", "check").iter_rows()
        ]
    return []


def _violation(parsed: Parsed, by_name: dict[str, Column], column: str, check: str, rows: list[int]) -> pl.DataFrame:
    """The sentences for one rule of one column; cells that did not parse have theirs already."""
    position = pl.Series(rows, dtype=pl.UInt32).sort()
    if column not in by_name:
        return pl.DataFrame({"position": position}).with_columns(reason=pl.lit(check.replace("_", " ")))
    found = parsed.frame.get_column(column).gather(position).cast(pl.String)
    cases = pl.DataFrame({"position": position, "found": found})
    if (failed := parsed.failed.get(column)) is not None:
        cases = cases.filter(~failed.gather(position))
    return cases.select("position", reason=_sentence(by_name[column], check))


def _sentence(column: Column, check: str) -> pl.Expr:
    name, found = pl.lit(column.name), pl.col("found").str.slice(0, 80)
    if check == "not_nullable":
        return pl.format("{} is missing", name)
    if column.role == "currency":
        return pl.format("{} is '{}': not an ISO 4217 currency code", name, found)
    if column.values:
        return pl.format("{} is '{}': expected one of {}", name, found, pl.lit(", ".join(column.values)))
    return pl.format("{} is '{}': must be {}", name, found, pl.lit(check.replace("_", " ")))


def _own_schema(entity: type[Canonical]) -> Any:
    """The contract without the columns that every row has: those are the gate's own work."""
    return entity.to_schema().remove_columns(list(Base.to_schema().columns))


def _keep(
    connection: duckdb.DuckDBPyConnection,
    text: pl.DataFrame,
    parsed: Parsed,
    refusals: Refusals,
    system: System,
    name: str,
    entity: type[Canonical],
) -> None:
    """Insert the accepted rows of a chunk, with the columns that are the gate's to fill."""
    lineage = text.select(
        "is_deleted",
        "source_table",
        "load_seq",
        "row_number",
        parse_instant(pl.col("valid_from")).alias("valid_from"),
    )
    accepted = pl.concat([parsed.frame, lineage], how="horizontal")
    if refusals.frame.height:
        position = pl.int_range(pl.len(), dtype=pl.UInt32)
        accepted = accepted.filter(~position.is_in(refusals.frame.get_column("position").implode()))
    own = [c.name for c in own_columns(entity)]
    prefix = system.key_prefixes.get(system.role, "")
    filled = {
        "system": literal(system.name),
        "source_id": f"substr(a.{key_of(entity)}, instr(a.{key_of(entity)}, ':') + {1 + len(prefix)})",
        "recorded_at": "l.received_at",
        "row_hash": f"md5(concat_ws(chr(31), {', '.join(_hashed(c) for c in own)}))",
        "contract_version": literal(version_of(entity)),
    }
    values = ", ".join(filled.get(c.name, f"a.{c.name}") for c in columns(entity))
    with given(connection, "accepted", accepted):
        connection.execute(
            f"insert into canonical.{name} select {values} from accepted a "
            "left join ledger.loads l on l.load_seq = a.load_seq"
        )


def _hashed(column: str) -> str:
    """A column's part of the row's hash: null and empty must differ."""
    return f"coalesce(cast(a.{column} as varchar), chr(30))"


def _quarantine(
    connection: duckdb.DuckDBPyConnection,
    first: int,
    refusals: Refusals,
    system: System,
    name: str,
    entity: type[Canonical],
) -> None:
    """Put the refused rows of a chunk aside, as they were mapped; a deleted record puts nothing at stake.

    Their number among the mapped rows is left out: it says nothing of the record and may differ from pass to pass.
    """
    names = [row[0] for row in connection.execute("describe mapped").fetchall() if row[0] != "mapped_row"]
    listed = ", ".join(f"{quoted(name)}: m.{quoted(name)}" for name in names)
    at_risk = next((f"amount(m.{c.name})" for c in own_columns(entity) if c.at_risk), "null")
    stated = next((f"m.{c.name}" for c in own_columns(entity) if c.role == "currency"), "null")
    # Figures are shown by currency: a cell that was refused as one may hold anything, and stays in the row alone.
    money = f"case when regexp_full_match({stated}, '[A-Z]{{3}}') then {stated} end"
    with given(connection, "refused", refusals.frame):
        connection.execute(f"""
            insert into quarantine.rows
            select {literal(system.name)}, {literal(name)}, m.{key_of(entity)}, m.source_table, m.load_seq,
                m.row_number, 'DQ-RULE', r.reasons, cast(to_json({{{listed}}}) as varchar),
                try_cast({at_risk} as decimal(18, 4)), {money}, {literal(system.owner)}, l.received_at
            from refused r join mapped m on m.mapped_row = r.position + {first}
            left join ledger.loads l on l.load_seq = m.load_seq
            where not m.is_deleted""")
