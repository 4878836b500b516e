"""Revenue recognition: subscriptions by the day over their service dates, usage and services at once.

Belongs here: the schedule, and what it leaves deferred. Does not: its journals (``books``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import half_up

SUBSCRIPTION = pl.col("charge") == "R"
_SCHEDULED = ("il", "inv", "position", "entity", "ccy", "s_on", "e_on", "invoiced_on", "void_on", "net", "net_func")


def recognised(lines: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return subscription revenue recognised. Grain: invoice line x period with any; ``amount`` functional, ``own``
    in the invoice's currency, each by the day and cumulatively rounded.

    Nothing before the invoice; from the void on, everything recognised so far is taken back.
    """
    return by_day(lines.filter(SUBSCRIPTION).select(_SCHEDULED), spans)


def by_day(lines: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Spread lines over the periods of their entity; see ``recognised``. ``il`` tells lines apart."""
    frame = lines.join(spans.select("entity", "period", "first_on", "seen_to"), on="entity", how="inner")
    ends = pl.max_horizontal(pl.col("e_on"), pl.col("invoiced_on"), pl.col("void_on"))
    frame = frame.filter((pl.col("seen_to") >= pl.col("invoiced_on")) & (pl.col("first_on") <= ends)).sort(
        "il", "first_on"
    )
    days = (pl.col("e_on") - pl.col("s_on")).dt.total_days() + 1
    passed = ((pl.col("seen_to") - pl.col("s_on")).dt.total_days() + 1).clip(0, days)
    is_void = pl.col("void_on").is_not_null() & (pl.col("void_on") <= pl.col("seen_to"))
    for name, whole in (("amount", "net_func"), ("own", "net")):
        upto = pl.when(is_void).then(0).otherwise(half_up(pl.col(whole).cast(pl.Int128) * passed, days))
        frame = frame.with_columns(_upto=upto)
        before = pl.col("_upto").shift(1).over("il").fill_null(0)
        frame = frame.with_columns((pl.col("_upto") - before).alias(name)).drop("_upto")
    return frame.filter((pl.col("amount") != 0) | (pl.col("own") != 0))


def at_once(lines: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return revenue of usage and services. Grain: invoice line x period; earned at issue, taken back by a void."""
    return billed(lines.filter(~SUBSCRIPTION), spans)


def billed(lines: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return what is billed, less voids. Grain: invoice line x period; ``amount`` functional, ``own`` as invoiced."""
    own = lines.select(_SCHEDULED)
    voids = own.filter(pl.col("void_on").is_not_null())
    dated = pl.concat([
        own.select("il", "inv", "position", "entity", "ccy", on="invoiced_on", amount="net_func", own="net"),
        voids.select("il", "inv", "position", "entity", "ccy", on="void_on", amount=-pl.col("net_func"),
                     own=-pl.col("net")),
    ])  # fmt: skip
    starts = spans.select("entity", "period", on="first_on").sort("on")
    placed = dated.sort("on").join_asof(starts, on="on", by="entity", check_sortedness=False)
    keys = ["il", "inv", "position", "entity", "ccy", "period"]
    frame = placed.group_by(keys).agg(pl.col("amount", "own").sum()).sort("il", "period")
    return frame.filter((pl.col("amount") != 0) | (pl.col("own") != 0))


def deferred(lines: pl.DataFrame, earned: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return how subscriptions move deferred revenue. Grain: entity x currency x period; billed less ``earned``."""
    by = ["entity", "ccy", "period"]
    parts = [billed(lines.filter(SUBSCRIPTION), spans), earned.with_columns(-pl.col("amount", "own"))]
    return pl.concat([p.select(*by, "amount", "own") for p in parts]).group_by(by).agg(
        pl.col("amount", "own").sum()
    ).sort(by)  # fmt: skip
