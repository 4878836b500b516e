"""Sales orders."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Orders(Canonical):
    """One row per order of the CRM or the ERP."""

    order_id: str = f.key("`<role>:<id>`.", space="documents")
    customer_id: str = f.reference("Customer.", to="customers", required=False)
    contract_id: str = f.reference("Contract it falls under.", to="contracts", required=False)
    opportunity_id: str = f.reference("Opportunity it came from.", to="opportunities", required=False)
    order_number: str = f.text("Number printed on the order.")
    status: str = f.text("Status, in the system's own words.")
    ordered_on: pl.Date = f.day("Date of the order or its first effect.")
    ends_on: pl.Date = f.day("Last day of effect, inclusive.")
    total_amount: f.Money = f.money("Value of the order.", required=False, at_risk=True)
    currency: str = f.currency()
