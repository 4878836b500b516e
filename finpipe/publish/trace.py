"""One record's whole chain, read from the publication in force: deal, order, invoices, cash, bank line, postings.

Belongs here: walking a record's links, and gathering what marts say of the chain.
Does not belong here: finding it by a name (``named``), how records are joined (marts ``records`` and ``record_links``
hold that), and how it is printed.

From the record that is asked for, the walk goes *up* towards the deal and *down* towards cash, never back again: the
payment of an invoice belongs to its chain, the other invoices which that payment paid do not.  Images of one document
in two systems are one station.  Postings, the order of a deal, and the contract a document was billed under are added
to every station.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from finpipe.publish.named import LINES, NUMBERS, are_one, found, listed, unknown
from finpipe.publish.read import reading
from finpipe.settings import Home
from finpipe.warehouse import literal

Row = dict[str, Any]
#: From a record to another: the other's number, the direction, the relation, the rule that joined them.
Link = tuple[int, str, str, str]

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
#: Added to every station found, though they lie neither up nor down from the record asked for.
_BESIDE = {("down", "posting of it"), ("down", "order of deal"), ("up", "invoice under contract")}
#: By mart: key of a row, the column that names a record of the chain, the entity it names, and the figure.
_CELLS = {
    "bookings": ("booking_id", "opportunity_id", "opportunities", "tcv_amount"),
    "billings": ("billing_id", "invoice_id", "invoices", "net_amount"),
    "collections": ("collection_id", "collection_id", "payments", "amount"),
    "cash_bridge": ("payout_id", "payout_id", "payouts", "payout_amount"),
}
#: By schema and table of a publication: the column by which a chain picks a few rows of many. Publications index it.
LOOKUPS = {
    **{("canonical", table): key for table, (_, _, key) in LINES.items()},
    **{("main", mart): column for mart, (_, column, _, _) in _CELLS.items()},
    ("main", "quote_to_cash"): "opportunity_id",
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
    hits = found(connection, asked.strip())
    if not hits:
        raise unknown(connection, asked.strip())
    if not are_one(connection, hits):
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


# ── walking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _walked(connection: duckdb.DuckDBPyConnection, start: int, most: int) -> tuple[dict[int, Row], bool]:
    """Numbers of the chain's records, each with what joined it to the chain, nearest first; whether it was cut."""
    joined: dict[int, Row] = {start: {"joined_to": None, "relation": None, "rule": None}}
    links: dict[int, list[Link]] = {}
    seen = {(start, "up"), (start, "down")}
    frontier = set(seen)
    while frontier and len(joined) < most:
        ways: dict[int, list[str]] = {}
        for number, way in sorted(frontier):
            ways.setdefault(number, []).append(way)
        frontier = set()
        _learn(connection, links, ways)
        for number, other, direction, relation, rule in _from(links, ways):
            for way in ways[number]:
                if direction in (way, "same") and (other, way) not in seen:
                    seen.add((other, way))
                    frontier.add((other, way))
                    joined.setdefault(other, {"joined_to": number, "relation": relation, "rule": rule})
    is_cut = bool(frontier)
    _learn(connection, links, joined)
    for number, other, direction, relation, rule in _from(links, sorted(joined)):
        if (direction, relation) in _BESIDE:
            joined.setdefault(other, {"joined_to": number, "relation": relation, "rule": rule})
    return dict(list(joined.items())[:most]), is_cut or len(joined) > most


def _learn(connection: duckdb.DuckDBPyConnection, links: dict[int, list[Link]], numbers: Iterable[int]) -> None:
    """Read the links of those records that were not asked for before."""
    new = [number for number in numbers if number not in links]
    links |= {number: [] for number in new}
    for number, *link in connection.execute(
        "select record_number, linked_number, direction, relation, rule from main.record_links "
        f"where record_number in ({NUMBERS}) order by all",
        [new],
    ).fetchall():
        links[number].append(tuple(link))


def _from(links: dict[int, list[Link]], numbers: Iterable[int]) -> Iterator[tuple[int, int, str, str, str]]:
    return ((number, *link) for number in numbers for link in links[number])


# ── what is said of the chain ────────────────────────────────────────────────────────────────────────────────────


def _details(connection: duckdb.DuckDBPyConnection, numbers: Iterable[int]) -> list[Row]:
    """The records with the file and row each came from, in the order of their numbers."""
    return _rows(
        connection,
        f"""select records.* exclude (row_number), loads.original_name as file, records.row_number as row
        from main.records left join ledger.loads using (load_seq)
        where record_number in ({NUMBERS}) order by record_number""",
        [list(numbers)],
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
    lines = [
        f"select {line} from canonical.{table} where {key} in ({listed(ids[whole])})"
        for table, (line, whole, key) in LINES.items()
        if ids[whole] and table != "journal_lines"
    ]
    if not lines:
        return set()
    # Two questions: asked as one, DuckDB reads all lines and leaves the index aside.
    named = connection.execute("select left_key from main.exceptions union select right_key from main.exceptions")
    keys = {row[0] for row in named.fetchall()}
    return keys & {row[0] for row in connection.execute(" union all ".join(lines)).fetchall()}


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
        """select * from main.exceptions
        where origin <> 'R01' and not (leg in ('billed-product', 'line-dates') and contains(left_key, '|'))
            and list_has_any(
                string_split(split_part(coalesce(left_key, ''), '|', 1), ' → ')
                || string_split(split_part(coalesce(right_key, ''), '|', 1), ' → '),
                cast(? as varchar[])
            )
        order by code, exception_id""",
        [sorted(names)],
    )


def _cells(connection: duckdb.DuckDBPyConnection, ids: dict[str, list[str]]) -> list[Row]:
    """The rows of marts that hold figures of the chain, each with the quarter and currency it is summed in."""
    marts = [
        f"select {place} as place, {literal(mart)} as mart, {key} as key, period, quarter, currency, "
        f"{literal(amount)} as figure, {amount} as amount from main.{mart} where {column} in ({listed(ids[entity])})"
        for place, (mart, (key, column, entity, amount)) in enumerate(_CELLS.items())
        if ids[entity]
    ]
    found = _rows(connection, " union all ".join(marts) + " order by all") if marts else []
    return [{name: value for name, value in row.items() if name != "place"} for row in found]


def _where(
    connection: duckdb.DuckDBPyConnection, select: str, column: str, values: Sequence[str], also: str = "true"
) -> list[Row]:
    if not values:
        return []
    return _rows(connection, f"{select} where {column} in ({listed(values)}) and {also} order by all")


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, given: Sequence[object] = ()) -> list[Row]:
    asked = connection.execute(sql, given)
    names = [column[0] for column in asked.description or ()]
    return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
