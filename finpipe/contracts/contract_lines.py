"""Contract lines: what is charged under a contract."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class ContractLines(Canonical):
    """One row per item of a contract or subscription, at its current price and quantity."""

    contract_line_id: str = f.key("`<role>:<id>` of the item.")
    contract_id: str = f.reference("Contract the line belongs to.", to="contracts", must_exist=True)
    product_id: str = f.reference("Product charged.", to="products", required=False)
    quantity: f.Rate = f.rate("Units.", required=False)
    unit_price: f.Rate = f.rate("Price per unit and interval.", required=False)
    currency: str = f.currency(required=False)
    interval_months: int = f.whole("Months between two charges; null when charged once.", minimum=0)
    starts_on: pl.Date = f.day("First day charged.")
    ends_on: pl.Date = f.day("Last day charged, inclusive.")
