"""Exceptions as asset checks: how many there are of what, who has them, and those that weigh most.

Belongs here: what is shown of the queue at each reconciliation and at the queue itself.
Does not belong here: severity, state and what a waiver does; the mart has decided all of that.
"""

from typing import Any, NamedTuple

import dagster as dg
import duckdb

from finpipe.orchestration import specs
from finpipe.orchestration.metadata import table
from finpipe.warehouse import quoted

UNBLOCKED = "no_exception_blocks"
QUEUE = "marts.exceptions"
_CAUSES = ("code", "severity", "state", "owner", "currency", "exceptions", "amount")
#: Without their sentences: they quote records, and Dagster's events are kept for good. The id leads to them.
_TOP = ("exception", "code", "severity", "state", "owner", "due", "currency", "amount")


class Queue(NamedTuple):
    """The exceptions of one table: how many block, counts by code, and the heaviest."""

    total: int
    blocking: int
    waived: int
    causes: list[tuple[Any, ...]]
    top: list[tuple[Any, ...]]


def queue_of(connection: duckdb.DuckDBPyConnection, name: str) -> Queue:
    """The exceptions that a reconciliation found, or all of them."""
    relation = ".".join(quoted(part) for part in name.split("."))
    mine = "true" if name == QUEUE else f"(origin, leg) in (select distinct (reconciliation_id, leg) from {relation})"
    total, blocking, waived = connection.execute(
        f"select count(*), count(*) filter (is_blocking), count(*) filter (state = 'waived') from {QUEUE} where {mine}"
    ).fetchall()[0]
    causes = connection.execute(
        "select code, severity, state, owner, currency, count(*), sum(abs(coalesce(amount, 0))) "
        f"from {QUEUE} where {mine} group by all order by bool_or(is_blocking) desc, 7 desc, 6 desc, 1, 2, 3, 4, 5"
    ).fetchall()
    top = connection.execute(
        "select exception_id, code, severity, state, coalesce(assigned_to, owner), due_at, currency, amount "
        f"from {QUEUE} where {mine} "
        "order by is_blocking desc, state = 'waived', abs(coalesce(amount, 0)) desc, 1 limit 20"
    ).fetchall()
    return Queue(total, blocking, waived, causes, top)


def unblocked(name: str, queue: Queue) -> dg.AssetCheckResult:
    """Passed unless a blocking exception is open; then an error, with what blocks first in the table."""
    return dg.AssetCheckResult(
        asset_key=specs.key(name),
        check_name=UNBLOCKED,
        passed=not queue.blocking,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "exceptions": queue.total,
            "blocking": queue.blocking,
            "waived": queue.waived,
            "by code": table(_CAUSES, queue.causes),
            "heaviest": table(_TOP, queue.top),
        },
    )
