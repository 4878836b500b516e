"""The truth of what crosses customers: trial balance, receivables, payouts, what is open at the cut.

Belongs here: tables made once, from sums over all blocks. Does not: a block's own tables (``truth``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import decimal_text
from finpipe.demo.truth import money
from finpipe.demo.world import ACCOUNT_ID, DIGITS, ENTITIES


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String)


def trial_balance(sums: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return the trial balance. Grain: entity x account x told period: movement and closing balance, functional."""
    accounts = sums.select("entity", "account").unique().sort("entity", "account")
    grid = accounts.join(spans.select("entity", "period", "period_name", "last_on"), on="entity", how="inner")
    totals = sums.group_by("entity", "account", "period").agg(pl.col("func_amount").sum())
    frame = grid.join(totals, on=["entity", "account", "period"], how="left").sort("entity", "account", "period")
    frame = frame.with_columns(pl.col("func_amount").fill_null(0)).with_columns(
        closing=pl.col("func_amount").cum_sum().over("entity", "account"), func=_func()
    )
    return frame.select(
        legal_entity=_text("entity"), account=_text("account"), period=_text("period"), period_name="period_name",
        ends_on="last_on", currency="func", movement=money("func_amount", "func"), closing=money("closing", "func"),
    )  # fmt: skip


def _func() -> pl.Expr:
    return pl.col("entity").replace_strict(
        [e.no for e in ENTITIES], [e.currency for e in ENTITIES], return_dtype=pl.String
    )


def receivables(sums: pl.DataFrame, ends: pl.DataFrame) -> pl.DataFrame:
    """Return AR balances. Grain: entity x currency x end date. ``sums``: entity, ccy, day, foreign, func_amount of AR.

    Unapplied cash and credits count against it, as on the control account.
    """
    pairs = sums.select("entity", "ccy").unique().sort("entity", "ccy")
    grid = pairs.join(ends, on="entity", how="inner").sort("last_on", "entity", "ccy")
    daily = sums.group_by("entity", "ccy", "dated_on").agg(pl.col("foreign").sum(), pl.col("func_amount").sum())
    daily = (
        daily.sort("entity", "ccy", "dated_on")
        .with_columns(
            balance=pl.col("foreign").cum_sum().over("entity", "ccy"),
            worth=pl.col("func_amount").cum_sum().over("entity", "ccy"),
        )
        .sort("dated_on", "entity", "ccy")
    )
    found = grid.join_asof(
        daily.select("entity", "ccy", "dated_on", "balance", "worth"), left_on="last_on", right_on="dated_on",
        by=["entity", "ccy"], check_sortedness=False,
    )  # fmt: skip
    found = found.with_columns(pl.col("balance", "worth").fill_null(0), func=_func()).sort("entity", "ccy", "last_on")
    return found.select(
        legal_entity=_text("entity"),
        period_name="period_name",
        ends_on="last_on",
        currency="ccy",
        balance=money("balance"),
        functional_currency="func",
        balance_functional=money("worth", "func"),
    )


def deferred(moved: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return deferred revenue. Grain: entity x currency x told period; ``moved``: own and functional per period."""
    by = ["entity", "ccy"]
    grid = moved.select(by).unique().sort(by).join(
        spans.select("entity", "period", "period_name", last_on="seen_to"), on="entity", how="inner"
    )  # fmt: skip
    totals = moved.group_by(*by, "period").agg(pl.col("amount", "own").sum())
    frame = grid.join(totals, on=[*by, "period"], how="left").sort(*by, "period")
    frame = frame.with_columns(pl.col("amount", "own").fill_null(0)).with_columns(
        balance=pl.col("own").cum_sum().over(by), worth=pl.col("amount").cum_sum().over(by), func=_func()
    )
    return frame.select(
        legal_entity=_text("entity"),
        period_name="period_name",
        ends_on="last_on",
        currency="ccy",
        balance=money("balance"),
        functional_currency="func",
        balance_functional=money("worth", "func"),
    )


def payouts(payout: pl.DataFrame) -> pl.DataFrame:
    """Return payouts. Grain: payout; gross (before fees) and fees of everything it cleared."""
    return payout.select(
        payout_id="payout",
        legal_entity=_text("entity"),
        currency="ccy",
        created_on="created_on",
        arrives_on="arrival_on",
        failed_on="failed_on",
        status="status",
        amount=money("amount"),
        gross=money("cleared"),
        fees=money("fees"),
        trace="trace",
    )


def in_transit(moves: pl.DataFrame, payout: pl.DataFrame) -> pl.DataFrame:
    """Return what is honestly open at the cut: payouts on their way, and balance not yet paid out. Grain: item."""
    pending = moves.filter(pl.col("payout").is_null()).select(
        kind=pl.lit("balance_pending"),
        record="txn",
        legal_entity=_text("entity"),
        currency="ccy",
        amount=decimal_text(
            pl.col("amount") - pl.col("fee"), pl.col("ccy").replace_strict(DIGITS, return_dtype=pl.Int64)
        ),
    )
    moving = payout.filter(pl.col("status") == "in_transit").select(
        kind=pl.lit("payout_in_transit"),
        record="payout",
        legal_entity=_text("entity"),
        currency="ccy",
        amount=money("amount"),
    )
    return pl.concat([moving, pending]).sort("kind", "record")


def is_receivable() -> pl.Expr:
    """Tell lines on the receivable control account."""
    return pl.col("account") == ACCOUNT_ID[1100]
