"""Revenue recognition: subscriptions by the day over their service dates.

Belongs here: the schedule. Does not: its journals (``books``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import half_up


def recognised(lines: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return revenue recognised. Grain: invoice line x period; functional, by the day, cumulatively rounded.

    Nothing before the invoice; from the void on, everything recognised so far is taken back.
    """
    spread = lines.filter(pl.col("charge") == "R").select(
        "il", "entity", "s_on", "e_on", "invoiced_on", "void_on", "net_func"
    )
    frame = spread.join(spans.select("entity", "period", "first_on", "seen_to"), on="entity", how="inner")
    ends = pl.max_horizontal(pl.col("e_on"), pl.col("invoiced_on"), pl.col("void_on"))
    frame = frame.filter((pl.col("seen_to") >= pl.col("invoiced_on")) & (pl.col("first_on") <= ends)).sort(
        "il", "first_on"
    )
    days = (pl.col("e_on") - pl.col("s_on")).dt.total_days() + 1
    passed = ((pl.col("seen_to") - pl.col("s_on")).dt.total_days() + 1).clip(0, days)
    is_void = pl.col("void_on").is_not_null() & (pl.col("void_on") <= pl.col("seen_to"))
    whole = half_up(pl.col("net_func").cast(pl.Int128) * passed, days)
    frame = frame.with_columns(upto=pl.when(is_void).then(0).otherwise(whole))
    before = pl.col("upto").shift(1).over("il").fill_null(0)
    return frame.with_columns(amount=pl.col("upto") - before).filter(pl.col("amount") != 0)
