"""Control totals: what a source says it holds or sent."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class ControlTotals(Canonical):
    """One row per figure that a source states about itself: a closing balance, a count, a report's total."""

    control_total_id: str = f.key("`<role>:<id>`, made of subject, scope and date.")
    subject: str = f.text("What is counted or summed, such as `bank_balance` or `bank_movement`.", required=True)
    scope: str = f.text("Account, entity or table it speaks of.", required=True)
    entity: str = f.text("Legal entity as the report names it: key, number or name; empty for all together.")
    starts_on: pl.Date = f.day("First day, where the figure is of a span of time.")
    stated_on: pl.Date = f.day("Date it holds for; the last day of a span.")
    currency: str = f.currency(required=False)
    stated_amount: f.Money = f.money("Sum stated.", required=False, at_risk=True)
    stated_count: int = f.whole("Count stated.")
