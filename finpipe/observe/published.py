"""What a publication knows that time and rightness depend on.

Belongs here: questions to a publication.  Does not belong here: what the answers mean (``judge``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

#: Entity, and the business date of its records. Deals are dated by their last change: signing them is rare.
EVENTS = (
    ("bank_transactions", "booked_on"),
    ("journal_events", "posted_on"),
    ("invoices", "issued_on"),
    ("payments", "paid_on"),
    ("processor_transactions", "created_on"),
    ("opportunities", "cast(valid_from as date)"),
)
#: Milestones of a booking: what is late, and whether it is still open.
MILESTONES = (
    ("order", "order_late_days", "order_accepted_on"),
    ("invoice", "invoice_late_days", "invoice_posted_on"),
    ("payment", "payment_late_days", "payment_applied_on"),
    ("publication", "publication_late_days", "published_on"),
)
#: Earlier files of a table that its next one is compared with.
_MOST_COUNTS = 20
_EACH = " union all ".join(
    f"select system, '{entity}' as entity, {day} as day_on from canonical.{entity} where not is_deleted"
    for entity, day in EVENTS
)
_NEWEST = f"select system, max(day_on) from ({_EACH}) where day_on <= $as_of"


class Count(NamedTuple):
    """How many rows the newest file of a table had, and those before it had, newest first."""

    system: str
    table: str
    name: str
    rows: int
    before: list[int]


class Red(NamedTuple):
    """One leg of a reconciliation that is out of tolerance."""

    reconciliation: str
    leg: str
    owner: str
    sides: str
    findings: int
    blocking: int
    amounts: str


class Late(NamedTuple):
    """Bookings that miss a milestone now, in one currency."""

    milestone: str
    currency: str
    bookings: int
    days: int
    amount: Decimal


@dataclass(frozen=True)
class Published:
    """One publication, as far as it matters here."""

    number: int
    as_of: date
    published_at: datetime
    #: Business days with at least one event, by system and entity; days after the publication's date are left out.
    days: Mapping[str, Mapping[str, list[date]]] = field(default_factory=dict)
    #: Date of the newest business event of each system, however old.
    newest: Mapping[str, date] = field(default_factory=dict)
    counts: tuple[Count, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = ()
    red: tuple[Red, ...] = ()
    late: tuple[Late, ...] = ()
    tables: frozenset[str] = frozenset()


def read(connection: duckdb.DuckDBPyConnection, manifest: Mapping[str, Any], still_refused: str) -> Published:
    """Ask a publication; ``still_refused`` is the query of files that no later one made good."""
    as_of = date.fromisoformat(manifest["as_of"])
    return Published(
        number=int(manifest["publication"]),
        as_of=as_of,
        published_at=datetime.fromisoformat(manifest["published_at"]),
        days=_days(connection, as_of),
        newest=dict(connection.execute(f"{_NEWEST} group by system", {"as_of": as_of}).fetchall()),
        counts=_counts(connection),
        refused=tuple(
            connection.execute(
                f"select system, original_name, reason from ({still_refused}) order by load_seq"
            ).fetchall()
        ),
        red=_red(connection),
        late=_late(connection),
        tables=frozenset(name.rpartition(".")[2] for name in manifest["tables"]),
    )


def _days(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, dict[str, list[date]]]:
    """Days with events in the year before the publication's date, oldest first."""
    found: dict[str, dict[str, list[date]]] = {}
    rows = connection.execute(
        f"select distinct system, entity, day_on from ({_EACH}) "
        "where day_on <= $as_of and day_on > $as_of - interval 366 days order by all",
        {"as_of": as_of},
    ).fetchall()
    for system, entity, day in rows:
        found.setdefault(system, {}).setdefault(entity, []).append(day)
    return found


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[Count, ...]:
    rows = connection.execute(
        "select t.system, t.table_name, list(l.original_name order by t.load_seq desc)[1], "
        f"list(t.rows order by t.load_seq desc)[1:{_MOST_COUNTS + 1}] "
        "from ledger.loaded_tables t join ledger.loads l using (load_seq) where l.verdict = 'loaded' "
        "group by t.system, t.table_name order by all"
    ).fetchall()
    return tuple(Count(system, table, name, rows[0], rows[1:]) for system, table, name, rows in rows)


def _red(connection: duckdb.DuckDBPyConnection) -> tuple[Red, ...]:
    rows = connection.execute(
        "select reconciliation_id, leg, any_value(owner order by owner), "
        "min(left_name || ' ↔ ' || right_name), sum(finding_count)::bigint, sum(blocking_count)::bigint, "
        "string_agg(difference_amount::varchar || ' ' || coalesce(currency, ''), ', ' order by currency, period) "
        "from main.reconciliations where status = 'red' group by all order by all"
    ).fetchall()
    return tuple(Red(*row) for row in rows)


def _late(connection: duckdb.DuckDBPyConnection) -> tuple[Late, ...]:
    each = " union all ".join(
        f"select '{name}' as milestone, currency, count(*), max({days}), sum(tcv_amount) from main.quote_to_cash "
        f"where {days} > 0 and {reached} is null group by currency"
        for name, days, reached in MILESTONES
    )
    return tuple(Late(*row) for row in connection.execute(f"{each} order by all").fetchall())
