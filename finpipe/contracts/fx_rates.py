"""Exchange rates."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class FxRates(Canonical):
    """One row per pair, kind and date: units of `to_currency` for one unit of `from_currency`."""

    fx_rate_id: str = f.key("`<role>:<id>`.")
    from_currency: str = f.currency("Currency converted.")
    to_currency: str = f.currency("Currency of the result.")
    kind: str = f.choice(
        "Spot of a day, or average, closing or historical of a period.",
        ["spot", "average", "closing", "historical"],
    )
    starts_on: pl.Date = f.day("First day it holds.", required=True)
    ends_on: pl.Date = f.day("Last day it holds, inclusive; null = until the next one.")
    rate: f.Rate = f.rate("Units of `to_currency` per unit of `from_currency`.", positive=True)
