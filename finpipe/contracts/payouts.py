"""Payouts from the processor to the bank."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Payouts(Canonical):
    """One row per payout. Positive: money sent to the company's bank."""

    payout_id: str = f.key("`billing:<id>`.")
    status: str = f.choice("Paid, on its way, or failed.", ["paid", "pending", "in_transit", "canceled", "failed"])
    created_on: pl.Date = f.day("Date the processor made it.", required=True)
    arrives_on: pl.Date = f.day("Date it is expected at the bank.")
    currency: str = f.currency()
    amount: f.Money = f.money("Amount sent.", at_risk=True)
    trace_ref: str = f.text("Trace id the bank shows, where known.")
    descriptor: str = f.text("Text the bank shows.")
    is_automatic: bool = f.flag(
        "Made by the processor's schedule: its parts are known; null = not said.", required=False
    )
