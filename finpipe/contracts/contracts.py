"""Contracts and subscriptions."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Contracts(Canonical):
    """One row per contract (CRM) or subscription (billing), in the version the system last showed."""

    contract_id: str = f.key("`<role>:<id>` of the contract or subscription.")
    customer_id: str = f.reference("Customer bound by it.", to="customers", required=False)
    opportunity_ref: str = f.text("Key of the opportunity it came of, as its system names it.")
    contract_number: str = f.text("Number printed on the document.")
    status: str = f.text("Status, in the system's own words.")
    currency: str = f.currency(required=False)
    starts_on: pl.Date = f.day("First day.")
    ends_on: pl.Date = f.day("Last day, inclusive.")
    term_months: int = f.whole("Length in months.", minimum=0)
    signed_on: pl.Date = f.day("Date of the last signature.")
