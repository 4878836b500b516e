"""Records by name: a key, a system's own id, a printed number, a reference to another system, or the id of a line.

Belongs here: which record is meant, and what is said when none is.
Does not belong here: what hangs together with it (``trace``).
"""

from collections.abc import Iterable, Sequence

import duckdb

from finpipe.errors import FinpipeError
from finpipe.systems import ROLES
from finpipe.warehouse import literal

#: Entities whose lines have ids of their own: key of the line, entity of the whole, key of the whole.
LINES = {
    "opportunity_lines": ("opportunity_line_id", "opportunities", "opportunity_id"),
    "contract_lines": ("contract_line_id", "contracts", "contract_id"),
    "invoice_lines": ("invoice_line_id", "invoices", "invoice_id"),
    "journal_lines": ("journal_line_id", "journal_events", "journal_event_id"),
}
#: Whole numbers given to a statement, as what ``in (…)`` takes.  DuckDB joins such a list, and leaves alone what holds
#: none of it; many values written out are compared with every row, after all its columns are read.
NUMBERS = "select unnest(cast(? as integer[]))"
#: Most texts that are written out: few are found by an index, more than these by reading the table.
_MOST_WRITTEN = 40


def found(connection: duckdb.DuckDBPyConnection, asked: str) -> list[int]:
    """Numbers of the records that are called so; keys and native ids before printed numbers before references."""
    role, _, native = asked.partition(":")
    names = {asked} | ({native} if role in ROLES else set())
    hashes = ", ".join(f"md5_number_lower(upper({literal(name)}))" for name in sorted(names))
    rows = connection.execute(
        f"""select record_number, record_id, number, reference, names.kind
        from main.record_names as names inner join main.records using (record_number)
        where name_hash in ({hashes})"""
    ).fetchall()
    best: dict[tuple[int, int], list[int]] = {}
    for record, key, number, reference, kind in rows:
        name = {"id": key if role in ROLES else key.partition(":")[2], "number": number, "reference": reference}[kind]
        if name.upper() == asked.upper():
            rank = ("id", "number", "reference").index(kind)
            best.setdefault((rank, int(name != asked)), []).append(record)
    return sorted(best[min(best)]) if best else _by_line(connection, [asked, *(f"{r}:{asked}" for r in ROLES)])


def _by_line(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> list[int]:
    """Numbers of the records that have a line of that key."""
    either = " union all ".join(
        f"select {literal(whole)} as entity, {key} as record_id from canonical.{table} where {line} in ({listed(keys)})"
        for table, (line, whole, key) in LINES.items()
    )
    return [
        row[0]
        for row in connection.execute(
            f"select distinct record_number from main.records inner join ({either}) "
            "using (entity, record_id) order by 1"
        ).fetchall()
    ]


def are_one(connection: duckdb.DuckDBPyConnection, hits: list[int]) -> bool:
    """Whether all hits are images of the first one."""
    found, frontier = {hits[0]}, {hits[0]}
    while frontier and not found.issuperset(hits):
        linked = connection.execute(
            f"select linked_number from main.record_links where record_number in ({NUMBERS}) and direction = 'same'",
            [sorted(frontier)],
        ).fetchall()
        frontier = {row[0] for row in linked} - found
        found |= frontier
    return found.issuperset(hits)


def unknown(connection: duckdb.DuckDBPyConnection, asked: str) -> FinpipeError:
    """The refusal of a name that nothing has: what the gate refused under it, else what is spelled nearly so."""
    refused = connection.execute(
        "select entity, row_key, reasons from quarantine.rows "
        f"where row_key = {literal(asked)} or substr(row_key, strpos(row_key, ':') + 1) = {literal(asked)} limit 1"
    ).fetchall()
    if refused:
        entity, key, reasons = refused[0]
        return FinpipeError(
            "the gate refused that record, so that nothing is joined to it",
            where=f"quarantine.rows, {entity} {key}",
            got=reasons,
            fix="mend it at its source and deliver it again; finpipe exceptions --code DQ-RULE lists what is refused",
        )
    near = connection.execute(
        f"""with names as (
            select record_id as name, substr(record_id, strpos(record_id, ':') + 1) as word from main.records
            union all select number, number from main.records where number is not null
        ),
        alike as (
            select name, levenshtein(upper(word), upper({literal(asked)})) as distance from names
            where abs(length(word) - {len(asked)}) <= 2
                and (starts_with(word, {literal(asked[:2])}) or ends_with(word, {literal(asked[-3:])}))
        )
        select name from alike where distance <= 3 group by name order by min(distance), name limit 5"""
    ).fetchall()
    said = ", ".join(row[0] for row in near)
    return FinpipeError(
        "no record is called that",
        where="the publication in force",
        got=repr(asked[:80]),
        fix=f"near it: {said}" if said else "finpipe query \"from records where number like '%…%'\" looks for a part",
    )


def listed(values: Iterable[str]) -> str:
    """Texts as what ``in (…)`` takes: a few as they are, so that an index answers; many as a list that is joined."""
    texts = [literal(value) for value in values]
    written = ", ".join(texts)
    return written if len(texts) <= _MOST_WRITTEN else f"select unnest([{written}])"
