"""Opportunity lines: what a deal consists of."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class OpportunityLines(Canonical):
    """One row per product line of an opportunity; the lines of a won opportunity sum to its amount."""

    opportunity_line_id: str = f.key("`crm:<id>`.")
    opportunity_id: str = f.reference("Opportunity the line belongs to.", to="opportunities", must_exist=True)
    product_id: str = f.reference("Product sold.", to="products", required=False)
    description: str = f.text("Text of the line.")
    charge_kind: str = f.choice(
        "How it is charged; null = decided by the product, else one-time unless it has a term.",
        ["recurring", "one_time", "usage"],
        required=False,
    )
    quantity: f.Rate = f.rate("Units.", required=False)
    unit_price: f.Rate = f.rate("Sales price per unit.", required=False)
    total_amount: f.Money = f.money(
        "Contracted value of the line over its whole term (TCV), after discount.", at_risk=True
    )
    currency: str = f.currency()
    starts_on: pl.Date = f.day("First day of service.")
    ends_on: pl.Date = f.day("Last day of service, inclusive.")
    term_months: int = f.whole("Length of the commitment in months.", minimum=0)
