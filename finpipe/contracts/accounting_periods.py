"""Accounting periods, as the ERP keeps them."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class AccountingPeriods(Canonical):
    """One row per period, quarter or year of the ERP's calendar."""

    accounting_period_id: str = f.key("`<role>:<id>`.")
    name: str = f.text("Name, such as `Mar 2024`.", required=True)
    kind: str = f.choice("Level in the calendar.", ["period", "quarter", "year"])
    calendar: str = f.text("Fiscal calendar it belongs to, where the ERP keeps several.")
    parent_accounting_period_id: str = f.reference(
        "Quarter or year it lies in.", to="accounting_periods", required=False
    )
    starts_on: pl.Date = f.day("First day.", required=True)
    ends_on: pl.Date = f.day("Last day, inclusive.", required=True)
    is_adjustment: bool = f.flag("Holds adjusting entries only.")
    is_ar_locked: bool = f.flag("Receivables are locked.")
    is_all_locked: bool = f.flag("All postings are locked.")
    is_closed: bool = f.flag("Closed.")
    closed_on: pl.Date = f.day("Date of closing.")
