"""Dagster's view of the queue: numbers, the heaviest first, and a check that fails only for what blocks."""

import dagster as dg
import duckdb
import pytest

from finpipe.build import kept
from finpipe.orchestration.build import build_assets
from finpipe.orchestration.exceptions import QUEUE, UNBLOCKED, queue_of, unblocked


@pytest.fixture
def queue(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A leg with a blocking exception that is waived and a matter of timing; another leg with one that blocks."""
    warehouse.execute(
        """
        create table marts.exceptions as
        select id as exception_id, 'R05' as origin, leg, code, severity, state,
            severity = 'blocking' and state <> 'waived' as is_blocking,
            'ar' as owner, null::varchar as assigned_to, timestamp '2025-01-01 17:00:00' as due_at,
            'USD' as currency, amount::decimal(18, 4) as amount, 'said' as sentence
        from (values ('a', 'one', 'INV-AMOUNT', 'blocking', 'waived', 500),
            ('b', 'one', 'PAYOUT-TRANSIT', 'timing', 'open', 9),
            ('c', 'two', 'INV-DUP', 'blocking', 'open', 1)) as t (id, leg, code, severity, state, amount)"""
    )
    for leg in ("one", "two"):
        warehouse.execute(f"create table reconciliation.rec_{leg} as select 'R05' as reconciliation_id, '{leg}' as leg")
    return warehouse


def test_what_is_waived_or_a_matter_of_timing_does_not_block(queue: duckdb.DuckDBPyConnection) -> None:
    found = queue_of(queue, "reconciliation.rec_one")
    assert (found.total, found.blocking, found.waived) == (2, 0, 1)
    assert unblocked("reconciliation.rec_one", found).passed


def test_what_blocks_fails_and_comes_first(queue: duckdb.DuckDBPyConnection) -> None:
    said = unblocked(QUEUE, queue_of(queue, QUEUE))
    assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.ERROR)
    heaviest = said.metadata["heaviest"]
    assert isinstance(heaviest, dg.TableMetadataValue)
    assert [r.data["exception"] for r in heaviest.records] == ["c", "b", "a"]
    assert unblocked("reconciliation.rec_two", queue_of(queue, "reconciliation.rec_two")).passed is False


@pytest.mark.parametrize("stops", [True, False])
def test_by_policy_what_blocks_stops_publication(stops: bool) -> None:
    specs = [c for c in build_assets(kept(), stops_at_blocking=stops).check_specs if c.name == UNBLOCKED]
    assert len(specs) > 20
    assert {c.blocking for c in specs} == {stops}
