"""What keeps a period open: a calendar that is not whole, and a system that is set aside."""

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from finpipe.close import Period
from finpipe.close.checklist import _calendar, _landed

MARCH = Period(
    legal_entity_id="erp:1",
    period="Mar 2025",
    quarter="2025-Q1",
    starts_on=date(2025, 3, 1),
    ends_on=date(2025, 3, 31),
    state="open",
    sign_off="none",
    close_id=None,
    prepared_by=None,
    signed_by=None,
    publication=None,
    evidence=None,
    moved_count=0,
    unadjusted_count=0,
    is_whole=True,
)


def test_a_period_that_leaves_a_gap_or_overlaps_its_neighbour_is_not_closed() -> None:
    assert _calendar([MARCH]).holds
    line = _calendar([MARCH, replace(MARCH, period="Apr 2025", is_whole=False)])
    assert (line.holds, line.number) == (False, 1)
    assert line.open == ("erp:1: Apr 2025 to 2025-03-31 leaves a gap or overlaps its neighbour",)


@pytest.mark.parametrize(("aside", "wrong"), [({}, 0), ({"bank": "it does not answer: refused"}, 1)])
def test_a_system_that_is_set_aside_keeps_every_period_open(
    warehouse: duckdb.DuckDBPyConnection, aside: dict[str, str], wrong: int
) -> None:
    warehouse.execute(
        "create table ledger.loads as select 'erp' as system, timestamptz '2025-04-02' as received_at, "
        "'loaded' as verdict; "
        "create table canonical.invoices as select 'erp' as system, timestamptz '2025-04-01' as valid_from"
    )
    line = _landed(warehouse, [MARCH], {"erp": 4}, aside)
    assert (line.holds, line.number) == (not wrong, wrong)
    assert line.open == (("bank is set aside: it does not answer: refused",) if wrong else ())
