"""Opportunities: what sales expects and wins."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Opportunities(Canonical):
    """One row per opportunity of the CRM. A won one is a commitment worth `amount` in all."""

    opportunity_id: str = f.key("`crm:<id>`.")
    customer_id: str = f.reference("Account that buys.", to="customers", required=False)
    contract_id: str = f.reference("Contract that came of it.", to="contracts", required=False)
    order_ref: str = f.text("Key of the ERP's order, as the CRM states it.", space="documents")
    name: str = f.text("Name of the deal.")
    stage: str = f.text("Stage, in the CRM's own words.")
    type: str = f.text("Type of deal, in the CRM's own words.")
    amount: f.Money = f.money("Contracted value; null while unknown.", required=False, at_risk=True)
    currency: str = f.currency()
    closes_on: pl.Date = f.day("Close date: expected while open, actual afterwards.", required=True)
    signed_on: pl.Date = f.day("Countersignature, where known: it dates the booking.")
    is_closed: bool = f.flag("Won or lost.")
    is_won: bool = f.flag("Won.")
    created_at: f.Instant = f.instant("When the CRM created the record.")
