"""Lineage from raw to canonical: what a mapping reads through a step it shares counts as read."""

import dagster as dg

from finpipe.orchestration.specs import mapped_tables
from finpipe.settings import Home
from finpipe.systems import find_systems


def test_tables_read_through_shared_steps_are_upstream(home: Home) -> None:
    read = mapped_tables("invoices", find_systems(home))
    assert dg.AssetKey(["raw_netsuite", "deletedrecord"]) in read
    assert dg.AssetKey(["raw_netsuite", "currency"]) in read
