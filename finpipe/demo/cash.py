"""Settlement: credit notes, payments, applications, refunds and disputes.

Belongs here: how each invoice was settled, or not. Does not: payouts and bank lines (``treasury``).
Every invoice draws one plan. Plans whose last step would fall after the cut do not begin, so at the cut an invoice is
either wholly open or wholly settled, and no payment is left unapplied: what is open is honestly unpaid.

=========  ====================================================================================================
plan       what happens
=========  ====================================================================================================
single     one payment of the whole (card: 0-2 days after issue; wire: around the due date)
split      three payments of 50, 30 and 20 percent, ten days apart
late       card only: a failed attempt, then one charge five days later
unpaid     nothing
refund     card only: paid, then one line is credited after the fact and its money refunded (often next period)
dispute    card only: paid, disputed, lost or won
credit     wire only: one line is credited before payment (often next period), then the rest is paid
short      wire only: paid 2 percent short, the rest credited 15 days later
over       wire only: paid 5 percent too much, the excess sent back 20 days later
combined   wire only: one payment for two consecutive invoices, on the due date of the later
write-off  nothing, and four to six months later the whole is written off (by card: called uncollectible)
=========  ====================================================================================================
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.billing import functional
from finpipe.demo.exact import Chance, add_days, half_up
from finpipe.demo.world import Horizon

SINGLE, SPLIT, LATE, UNPAID, REFUND, DISPUTE, CREDIT, SHORT, OVER, COMBINED, WRITE_OFF = range(11)
_CARD = [(SINGLE, 63), (SPLIT, 14), (LATE, 5), (UNPAID, 7), (REFUND, 5), (DISPUTE, 4), (WRITE_OFF, 2)]
_WIRE = [(SINGLE, 59), (SPLIT, 18), (UNPAID, 5), (CREDIT, 6), (SHORT, 5), (OVER, 5), (WRITE_OFF, 2)]
# Credit kinds; credit key = invoice x 4 + kind, where a written-off invoice has no residual and takes its place.
PRE, POST, VOID, RESIDUAL, WRITTEN = range(5)


def planned(invoice: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return invoices with their settlement plan. Grain: ``inv``; adds ``plan``, ``pay_on``, ``partner``."""
    i = pl.col("inv")
    drawn = (
        pl.when("is_wire").then(chance.chosen(i, "wire plan", _WIRE)).otherwise(chance.chosen(i, "card plan", _CARD))
    )
    wire_day = add_days(pl.col("due_on"), chance.below(i, "slack", 26) - 5)
    card_day = add_days(pl.col("invoiced_on"), chance.below(i, "card day", 3))
    frame = invoice.with_columns(
        plan=pl.when(pl.col("void_on").is_not_null()).then(pl.lit(-1, dtype=pl.Int64)).otherwise(drawn),
        pay_on=pl.when("is_wire").then(wire_day).otherwise(card_day),
    )
    frame = _paired(frame, chance)
    ends = add_days(pl.col("pay_on"), pl.col("plan").replace_strict(_LAST_STEP, default=0, return_dtype=pl.Int64))
    is_too_late = ends > horizon.cut
    keeps = pl.col("plan") == -1
    frame = frame.with_columns(plan=pl.when(is_too_late & ~keeps).then(UNPAID).otherwise("plan").cast(pl.Int64))
    return frame.with_columns(partner=pl.when(pl.col("plan") == COMBINED).then("partner")).sort("inv")


# Days from the (first) payment to the last step of each plan: what must still fit before the cut.
_LAST_STEP = {SPLIT: 20, LATE: 5, REFUND: 90, DISPUTE: 100, SHORT: 15, OVER: 20, WRITE_OFF: 180}


def _paired(frame: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Pair consecutive invoices (odd number with the next) of one wire customer for a common payment."""
    pair = pl.col("c") * 64 + (pl.col("n") - 1) // 2
    both = (pl.len().over(pair) == 2) & (pl.col("plan") >= 0).all().over(pair)
    joins = both & pl.col("is_wire") & (chance.below(pair, "combined", 100) < 14)
    return frame.with_columns(
        partner=pl.when(joins).then(pl.col("inv").min().over(pair)),
        pay_on=pl.when(joins).then(pl.col("due_on").max().over(pair)).otherwise("pay_on"),
        plan=pl.when(joins).then(COMBINED).otherwise("plan").cast(pl.Int64),
    )


def credit_notes(plan: pl.DataFrame, lines: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return credit notes and void reversals. Grain: ``cn``. Minor units; each credits one invoice.

    PRE and POST credit half of the invoice's first line with its tax; VOID the whole; RESIDUAL two percent, untaxed;
    WRITTEN gives the whole up, tax included.
    """
    head = lines.filter(pl.col("position") == 0).select("inv", "il", line_net="net", line_tax_bp="tax_bp")
    frame = plan.join(head, on="inv", how="left", maintain_order="left")
    half = (pl.col("line_net") + 1) // 2
    later = chance.below(pl.col("inv"), "credit day", 60)
    short = pl.col("total") // 50
    kinds = [
        (PRE, pl.col("plan") == CREDIT, half, add_days(pl.col("invoiced_on"), 3 + later % 20)),
        (POST, pl.col("plan") == REFUND, half, add_days(pl.col("pay_on"), 15 + later)),
        (VOID, pl.col("plan") == -1, pl.col("net"), pl.col("void_on")),
        (RESIDUAL, pl.col("plan") == SHORT, short, add_days(pl.col("pay_on"), 15)),
        (WRITTEN, pl.col("plan") == WRITE_OFF, pl.col("total"), add_days(pl.col("pay_on"), 120 + later)),
    ]
    parts = [
        frame.filter(when).with_columns(kind=pl.lit(kind, dtype=pl.Int64), credit_net=net, dated_on=day)
        for kind, when, net, day in kinds
    ]
    taxed = half_up(pl.col("credit_net") * pl.col("line_tax_bp"), 10_000)
    tax = pl.when(pl.col("kind") == VOID).then("tax").when(pl.col("kind") >= RESIDUAL).then(0).otherwise(taxed)
    keep = ["cn", "inv", "il", "c", "n", "kind", "entity", "ccy", "func", "is_wire", "dated_on", "net", "tax", "total",
            "rate", "scale_num", "scale_den"]  # fmt: skip
    own = pl.min_horizontal("kind", pl.lit(RESIDUAL, dtype=pl.Int64))
    return (
        pl.concat(parts)
        .with_columns(net=pl.col("credit_net"), tax=tax.cast(pl.Int64), cn=pl.col("inv") * 4 + own)
        .with_columns(total=pl.col("net") + pl.col("tax"))
        .filter(pl.col("total") > 0).select(keep).sort("cn")
    )  # fmt: skip


def _parts(plan: pl.DataFrame, credit: pl.DataFrame) -> pl.DataFrame:
    """Payment x invoice: how much of which payment settles which invoice."""
    before = credit.filter(pl.col("kind").is_in([PRE, RESIDUAL])).select("inv", credited="total")
    frame = plan.filter(~pl.col("plan").is_in([-1, UNPAID, WRITE_OFF])).join(
        before, on="inv", how="left", maintain_order="left"
    )
    frame = frame.with_columns(to_pay=pl.col("total") - pl.col("credited").fill_null(0))
    half, most = pl.col("to_pay") * 5 // 10, pl.col("to_pay") * 8 // 10
    first = pl.when(pl.col("plan") == SPLIT).then(half).otherwise("to_pay")
    one = frame.with_columns(
        pay=pl.coalesce("partner", "inv") * 4,
        amount=first,
        paid_on=pl.when(pl.col("plan") == LATE).then(add_days(pl.col("pay_on"), 5)).otherwise("pay_on"),
    )
    later = [
        frame.filter(pl.col("plan") == SPLIT).with_columns(
            pay=pl.col("inv") * 4 + part, amount=amount, paid_on=add_days(pl.col("pay_on"), 10 * part)
        )
        for part, amount in ((1, most - half), (2, pl.col("to_pay") - most))
    ]
    return pl.concat([one, *later]).sort("pay", "inv")


def payments(plan: pl.DataFrame, credit: pl.DataFrame, rates: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (payments, parts). Grain: ``pay``; ``pay`` x ``inv``. Minor units of ``ccy``.

    payment amount = applied + excess; the excess is refunded later. ``fee`` is the processor's, 2.9 % + 0.30 USD.
    """
    parts = _parts(plan, credit)
    first = ["c", "n", "inv", "entity", "ccy", "func", "is_wire", "paid_on", "plan", "scale_num", "scale_den"]
    pay = parts.group_by("pay", maintain_order=True).agg(
        *[pl.col(k).first() for k in first], pl.col("amount").sum().alias("applied"), pl.len().alias("invoices")
    )
    excess = pl.when(pl.col("plan") == OVER).then(pl.col("applied") // 20).otherwise(0)
    fixed = pl.col("ccy").replace_strict(
        {"USD": 30, "GBP": 20, "JPY": 30, "KWD": 100, "EUR": 25}, return_dtype=pl.Int64
    )
    pay = pay.with_columns(excess=excess).with_columns(amount=pl.col("applied") + pl.col("excess"))
    fee = half_up(pl.col("amount") * 29, 1000) + fixed
    pay = pay.with_columns(fee=pl.when("is_wire").then(0).otherwise(fee).cast(pl.Int64))
    return with_rate(pay, rates, "paid_on"), parts


def with_rate(frame: pl.DataFrame, rates: pl.DataFrame, day: str) -> pl.DataFrame:
    """Add the spot ``rate`` of the row's entity and currency on a date column."""
    spot = rates.select("entity", "ccy", pl.col("day").alias(day), "rate")
    return frame.join(spot, on=["entity", "ccy", day], how="left", maintain_order="left")


def applications(plan: pl.DataFrame, credit: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Return what was applied to which invoice. Grain: source document x invoice.

    ``relief_func`` is the receivable's functional amount set free: in order of date, what is left open is always worth
    itself at the invoice's own rate, so that an invoice settled in parts leaves no functional residue.
    """
    paid = parts.select(source=pl.lit("payment"), key="pay", inv="inv", amount="amount", applied_on="paid_on")
    settled = credit.filter(~pl.col("kind").is_in([POST, VOID]))
    named = pl.when(pl.col("kind") == WRITTEN).then(pl.lit("write_off")).otherwise(pl.lit("credit"))
    noted = settled.select(source=named, key="cn", inv="inv", amount="total", applied_on="dated_on")
    rate = plan.select("inv", "c", "entity", "ccy", "func", "rate", "scale_num", "scale_den", "total")
    both = pl.concat([paid, noted]).join(rate, on="inv", how="left", maintain_order="left")
    both = both.sort("inv", "applied_on", "source", "key")
    left = pl.col("total") - pl.col("amount").cum_sum().over("inv")
    return both.with_columns(relief_func=functional(left + pl.col("amount")) - functional(left)).drop("total")


def refunds(credit: pl.DataFrame, pay: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Return refunds. Grain: ``rf``: of a post-payment credit (card) or of an overpayment (wire)."""
    post = credit.filter(pl.col("kind") == POST).select(
        "inv",
        "c",
        "n",
        "entity",
        "ccy",
        "func",
        "scale_num",
        "scale_den",
        rf=pl.col("inv") * 4,
        source=pl.lit("credit"),
        key="cn",
        pay=pl.col("inv") * 4,
        amount="total",
        refunded_on="dated_on",
        is_wire=pl.lit(value=False),
    )
    over = pay.filter(pl.col("excess") > 0).select(
        "inv", "c", "n", "entity", "ccy", "func", "scale_num", "scale_den", rf=pl.col("inv") * 4 + 1,
        source=pl.lit("payment"), key="pay", pay="pay", amount="excess",
        refunded_on=add_days(pl.col("paid_on"), 20), is_wire=pl.lit(value=True))  # fmt: skip
    return with_rate(pl.concat([post, over]), rates, "refunded_on").sort("rf")


def disputes(pay: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return disputes. Grain: ``pay`` (at most one each): the money returns if won; the fee does not."""
    key = pl.col("pay")
    fee = pl.col("ccy").replace_strict({"USD": 1500, "GBP": 1200, "JPY": 1500, "KWD": 4600, "EUR": 1400})
    opened = add_days(pl.col("paid_on"), 15 + chance.below(key, "disputed", 40))
    return (
        pay.filter(pl.col("plan") == DISPUTE)
        .with_columns(
            dispute_fee=fee.cast(pl.Int64),
            opened_on=opened,
            closed_on=add_days(opened, 40),
            is_won=chance.below(key, "won", 100) < 40,
        )
        .select("pay", "c", "inv", "entity", "ccy", "func", "amount", "dispute_fee", "opened_on", "closed_on", "is_won")
    )
