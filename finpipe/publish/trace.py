"""One record's whole chain, read from the publication in force: deal, order, invoices, cash, bank line, postings.

Belongs here: finding a record by any name it has, walking its links, and gathering what marts say of the chain.
Does not belong here: how records are joined (marts ``records`` and ``record_links`` hold that), and how it is printed.

From the record that is asked for, the walk goes *up* towards the deal and *down* towards cash, never back again: the
payment of an invoice belongs to its chain, the other invoices which that payment paid do not.  Images of one document
in two systems are one station.  Postings, the order of a deal, and the contract a document was billed under are added
to every station.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from finpipe.errors import FinpipeError
from finpipe.publish.read import reading
from finpipe.settings import Home
from finpipe.systems import ROLES
from finpipe.warehouse import literal

Row = dict[str, Any]

#: The stations of a chain, in order, by the canonical entity of their records.
STATIONS = (
    "opportunities",
    "contracts",
    "orders",
    "invoices",
    "applications",
    "payments",
    "processor_transactions",
    "payouts",
    "bank_transactions",
    "journal_events",
)
#: Most records of one chain; what lies further away is left out, and the answer says so.
MOST_RECORDS = 1000
#: Most records that one printed number may mean before the list is cut.
_MOST_CHOICES = 50
#: Entities whose lines have ids of their own: key of the line, entity of the whole, key of the whole.
_LINES = {
    "opportunity_lines": ("opportunity_line_id", "opportunities", "opportunity_id"),
    "contract_lines": ("contract_line_id", "contracts", "contract_id"),
    "invoice_lines": ("invoice_line_id", "invoices", "invoice_id"),
    "journal_lines": ("journal_line_id", "journal_events", "journal_event_id"),
}
#: Added to every station found, though they lie neither up nor down from the record asked for.
_BESIDE = {("down", "posting of it"), ("down", "order of deal"), ("up", "invoice under contract")}
#: By mart: key of a row, the column that names a record of the chain, the entity it names, and the figure.
_CELLS = {
    "bookings": ("booking_id", "opportunity_id", "opportunities", "tcv_amount"),
    "billings": ("billing_id", "invoice_id", "invoices", "net_amount"),
    "collections": ("collection_id", "collection_id", "payments", "amount"),
    "cash_bridge": ("payout_id", "payout_id", "payouts", "payout_amount"),
}


@dataclass
class Trace:
    """What was asked, and either the chain or, where the name means several records, the ``choices``."""

    asked: str
    choices: list[Row] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    exceptions: list[Row] = field(default_factory=list)
    milestones: list[Row] = field(default_factory=list)
    cells: list[Row] = field(default_factory=list)
    is_cut: bool = False


def trace(home: Home, asked: str, most: int = MOST_RECORDS) -> Trace:
    """The chain of the record called ``asked``: its key, native id, printed number or reference, of any system.

    Raises ``FinpipeError`` when nothing is published, or nothing is called so; it then names what comes near.
    """
    with reading(home) as connection:
        return trace_in(connection, asked, most)


def trace_in(connection: duckdb.DuckDBPyConnection, asked: str, most: int = MOST_RECORDS) -> Trace:
    """As ``trace``, over a connection to a publication."""
    hits = _found(connection, asked.strip())
    if not hits:
        raise _unknown(connection, asked.strip())
    if not _are_one(connection, hits):
        return Trace(asked, choices=_details(connection, hits)[:_MOST_CHOICES])
    joined, is_cut = _walked(connection, hits[0], most)
    records = _details(connection, joined)
    called = {record["record_number"]: record["record_id"] for record in records}
    for record in records:
        how = joined[record.pop("record_number")]
        record.update(how, joined_to=called.get(how["joined_to"]))
    ids = {entity: [r["record_id"] for r in records if r["entity"] == entity] for entity in STATIONS}
    postings = _postings(connection, ids["journal_events"])
    return Trace(
        asked,
        records=sorted(records, key=lambda r: (STATIONS.index(r["entity"]), str(r["happened_on"]), r["record_id"])),
        postings=postings,
        exceptions=_exceptions(connection, ids, postings),
        milestones=_where(connection, "select * from main.quote_to_cash", "opportunity_id", ids["opportunities"]),
        cells=_cells(connection, ids),
        is_cut=is_cut,
    )


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _found(connection: duckdb.DuckDBPyConnection, asked: str) -> list[int]:
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
    return sorted(best[min(best)]) if best else _found_by_line(connection, [asked, *(f"{r}:{asked}" for r in ROLES)])


def _found_by_line(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> list[int]:
    """Numbers of the records that have a line of that key."""
    either = " union all ".join(
        f"select {literal(whole)} as entity, {key} as record_id from canonical.{table} "
        f"where {line} in ({_listed(keys)})"
        for table, (line, whole, key) in _LINES.items()
    )
    return [
        row[0]
        for row in connection.execute(
            f"select distinct record_number from main.records inner join ({either}) "
            "using (entity, record_id) order by 1"
        ).fetchall()
    ]


def _are_one(connection: duckdb.DuckDBPyConnection, hits: list[int]) -> bool:
    """Whether all hits are images of the first one."""
    found, frontier = {hits[0]}, {hits[0]}
    while frontier and not found.issuperset(hits):
        linked = connection.execute(
            f"select linked_number from main.record_links where record_number in ({_numbers(frontier)}) "
            "and direction = 'same'"
        ).fetchall()
        frontier = {row[0] for row in linked} - found
        found |= frontier
    return found.issuperset(hits)


def _unknown(connection: duckdb.DuckDBPyConnection, asked: str) -> FinpipeError:
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


# ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _walked(connection: duckdb.DuckDBPyConnection, start: int, most: int) -> tuple[dict[int, Row], bool]:
    """Numbers of the chain's records, each with what joined it to the chain, nearest first; whether it was cut."""
    joined: dict[int, Row] = {start: {"joined_to": None, "relation": None, "rule": None}}
    seen = {(start, "up"), (start, "down")}
    frontier = set(seen)
    while frontier and len(joined) < most:
        ways: dict[int, list[str]] = {}
        for number, way in sorted(frontier):
            ways.setdefault(number, []).append(way)
        frontier = set()
        for number, other, direction, relation, rule in _neighbours(connection, ways):
            for way in ways[number]:
                if direction in (way, "same") and (other, way) not in seen:
                    seen.add((other, way))
                    frontier.add((other, way))
                    joined.setdefault(other, {"joined_to": number, "relation": relation, "rule": rule})
    is_cut = bool(frontier)
    for number, other, direction, relation, rule in _neighbours(connection, joined):
        if (direction, relation) in _BESIDE:
            joined.setdefault(other, {"joined_to": number, "relation": relation, "rule": rule})
    return dict(list(joined.items())[:most]), is_cut or len(joined) > most


def _neighbours(connection: duckdb.DuckDBPyConnection, numbers: Iterable[int]) -> list[tuple[int, int, str, str, str]]:
    return connection.execute(
        "select record_number, linked_number, direction, relation, rule from main.record_links "
        f"where record_number in ({_numbers(numbers)}) order by all"
    ).fetchall()


# ── what is said of the chain ────────────────────────────────────────────────────────────────────────────────────


def _details(connection: duckdb.DuckDBPyConnection, numbers: Iterable[int]) -> list[Row]:
    """The records with the file and row each came from, in the order of their numbers."""
    return _rows(
        connection,
        f"""select records.* exclude (row_number), loads.original_name as file, records.row_number as row
        from main.records left join ledger.loads using (load_seq)
        where record_number in ({_numbers(numbers)}) order by record_number""",
    )


def _postings(connection: duckdb.DuckDBPyConnection, events: Sequence[str]) -> list[Row]:
    """The lines of journal events, with their accounts; debit positive, in functional currency."""
    return _where(
        connection,
        """select journal_event_id as record_id, journal_line_id as line_id, gl_accounts.number as account,
            gl_accounts.name as account_name, lines.currency, amount, original_name as file, lines.row_number as row
        from canonical.journal_lines as lines left join canonical.gl_accounts using (gl_account_id)
        left join ledger.loads on lines.load_seq = loads.load_seq""",
        "journal_event_id",
        events,
        "not lines.is_deleted",
    )


def _lines_with_exceptions(connection: duckdb.DuckDBPyConnection, ids: dict[str, list[str]]) -> set[str]:
    """Keys of lines of the chain that an exception names."""
    found: set[str] = set()
    for table, (line, whole, key) in _LINES.items():
        if ids[whole] and table != "journal_lines":
            found |= {
                row[0]
                for row in connection.execute(
                    f"select {line} from canonical.{table} where {key} in ({_listed(ids[whole])}) "
                    f"and {line} in (select left_key from main.exceptions union select right_key from main.exceptions)"
                ).fetchall()
            }
    return found


def _exceptions(connection: duckdb.DuckDBPyConnection, ids: dict[str, list[str]], postings: list[Row]) -> list[Row]:
    """Exceptions whose key begins with a record or line of the chain.

    Customers, products and legal entities have keys like records of their system: what speaks of those is left out.
    """
    if not connection.execute("select 1 from main.exceptions limit 1").fetchall():
        return []
    names = {key for keys in ids.values() for key in keys} | {line["line_id"] for line in postings}
    names |= _lines_with_exceptions(connection, ids)
    return _rows(
        connection,
        f"""select * from main.exceptions
        where origin <> 'R01' and not (leg in ('billed-product', 'line-dates') and contains(left_key, '|'))
            and list_has_any(
                string_split(split_part(coalesce(left_key, ''), '|', 1), ' → ')
                || string_split(split_part(coalesce(right_key, ''), '|', 1), ' → '),
                [{_listed(sorted(names))}]
            )
        order by code, exception_id""",
    )


def _cells(connection: duckdb.DuckDBPyConnection, ids: dict[str, list[str]]) -> list[Row]:
    """The rows of marts that hold figures of the chain, each with the quarter and currency it is summed in."""
    found: list[Row] = []
    for mart, (key, column, entity, amount) in _CELLS.items():
        found += _where(
            connection,
            f"select {literal(mart)} as mart, {key} as key, period, quarter, currency, {literal(amount)} as figure, "
            f"{amount} as amount from main.{mart}",
            column,
            ids[entity],
        )
    return found


def _where(
    connection: duckdb.DuckDBPyConnection, select: str, column: str, values: Sequence[str], also: str = "true"
) -> list[Row]:
    if not values:
        return []
    return _rows(connection, f"{select} where {column} in ({_listed(values)}) and {also} order by all")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    asked = connection.execute(sql)
    names = [column[0] for column in asked.description or ()]
    return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]


def _listed(values: Iterable[str]) -> str:
    return ", ".join(literal(value) for value in values)


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(int(value)) for value in values)
