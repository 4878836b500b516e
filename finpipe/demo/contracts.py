"""Deals and contract lines: what was promised, at which price, for how long.

Belongs here: closed-won deals of every kind and their lines, the MRR they move. Does not: invoices (``billing``).
A customer lives through numbered slots, each at most one deal:

====  ============  =====================================================================================
slot  kind          meaning
====  ============  =====================================================================================
0     new           12 months, or 24 (prepaid at once, or a ramp that doubles line 0 in its second year)
1     upsell        more of a further product, co-termed with slot 0
2     downgrade     half of line 0 given back: a line of negative quantity, co-termed
3     cancellation  everything given back from a billing date on: lines of negative quantity
4     renewal       12 further months, signed 5 to 60 days before the old term ends (early renewal)
5     reactivation  a new start 2 to 5 months after the customer had fallen to zero
====  ============  =====================================================================================

Only one of upsell, downgrade and cancellation happens to a customer. Every deal starts before the cut.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import Chance, add_days, add_months
from finpipe.demo.world import Horizon, price_table

SLOTS = 16  # deal key = account x SLOTS + slot
LINES = 32  # contract line key = deal x LINES + line
NEW, UPSELL, DOWNGRADE, CANCELLATION, RENEWAL, REACTIVATION = range(6)
KINDS = ("new", "expansion", "contraction", "churn", "renewal", "reactivation")
_SETUP, _USAGE, _RAMP, _UPSOLD = 20, 21, 22, 23  # line numbers of the special lines


def plans(buyers: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return how each buyer's life goes. Grain: buyer ``c``; months count from its own start."""
    c = pl.col("c")
    frame = buyers.select("c", "entity", "ccy", "func", "is_wire", "terms", "tax_bp").with_columns(
        every=chance.chosen(c, "every", [(1, 40), (3, 38), (12, 22)]),
        arrears=chance.below(c, "arrears", 100) < 18,
        month=pl.min_horizontal(chance.below(c, "m1", 23), chance.below(c, "m2", 23)),
        day=chance.below(c, "day", 28),
        two_years=chance.below(c, "2y", 100) < 22,
        prepaid=chance.below(c, "prepaid", 100) < 40,
        products=chance.chosen(c, "products", [(1, 30), (2, 32), (3, 22), (4, 13), (12, 3)]),
        event=chance.chosen(c, "event", [(0, 48), (UPSELL, 32), (DOWNGRADE, 11), (CANCELLATION, 9)]),
        at=chance.below(c, "at", 10) + 1,
    )
    first = add_months(pl.lit(horizon.start), pl.col("month"))
    frame = frame.with_columns(
        start=add_days(first, pl.col("day")),
        months=pl.when("two_years").then(24).otherwise(12).cast(pl.Int64),
        # multi-year prepaid: one invoice for all 24 months
        every=pl.when(pl.col("two_years") & pl.col("prepaid")).then(24).otherwise(pl.col("every")).cast(pl.Int64),
    )
    return _aligned_event(frame)


def _aligned_event(frame: pl.DataFrame) -> pl.DataFrame:
    # Reductions fall on a billing date, so that nothing billed in advance has to be given back.
    step = pl.col("every")
    aligned = pl.max_horizontal(step, pl.col("at") // step * step)
    long_billing = (step > 3) & (pl.col("event") > UPSELL)
    return frame.with_columns(
        event=pl.when(long_billing).then(0).otherwise(pl.col("event")),
        at=pl.when(step <= 3).then(pl.min_horizontal(aligned, pl.lit(9))).otherwise(pl.col("at")),
        ramps=pl.col("two_years") & ~pl.col("prepaid"),
        # Nobody waits a year for the first invoice.
        arrears=pl.col("arrears") & (step <= 3),
    )


def _slot(plan: pl.DataFrame, slot: int, when: pl.Expr, at: pl.Expr, months: pl.Expr) -> pl.DataFrame:
    return plan.filter(when).with_columns(
        slot=pl.lit(slot, dtype=pl.Int64), start_at=at.cast(pl.Int64), deal_months=months.cast(pl.Int64)
    )


def deals(plan: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return closed-won deals. Grain: ``deal``; signed before it starts, starts on or before the cut."""
    c, term, at = pl.col("c"), pl.col("months"), pl.col("at")
    cancelled = pl.col("event") == CANCELLATION
    renews = ~cancelled & (chance.below(c, "renews", 100) < 78)
    returns = ~renews & (chance.below(c, "returns", 100) < 35)
    gap = 2 + chance.below(c, "gap", 4)
    twelve = pl.lit(12)
    frames = [
        _slot(plan, NEW, pl.lit(value=True), pl.lit(0), term),
        _slot(plan, UPSELL, pl.col("event") == UPSELL, at, term - at),
        _slot(plan, DOWNGRADE, pl.col("event") == DOWNGRADE, at, term - at),
        _slot(plan, CANCELLATION, cancelled, at, term - at),
        _slot(plan, RENEWAL, renews, term, twelve),
        _slot(plan, REACTIVATION, returns, pl.when(cancelled).then(at).otherwise(term) + gap, twelve),
    ]
    frame = pl.concat(frames).with_columns(deal=c * SLOTS + pl.col("slot"))
    notice = pl.when(pl.col("slot") == RENEWAL).then(5 + chance.below(c, "early", 56)).otherwise(
        chance.below(pl.col("deal"), "notice", 6)
    )  # fmt: skip
    frame = frame.with_columns(start_on=add_months(pl.col("start"), pl.col("start_at"))).with_columns(
        ends_before=add_months(pl.col("start_on"), pl.col("deal_months")),
        signed_on=add_days(pl.col("start_on"), -notice),
    )
    roots = pl.when(pl.col("slot").is_in([RENEWAL, REACTIVATION])).then(pl.col("slot")).otherwise(NEW)
    return (
        frame.with_columns(
            signed_on=pl.max_horizontal("signed_on", pl.lit(horizon.start)),
            root=c * SLOTS + roots,  # the deal whose contract this one amends
            # A 24-month prepayment renews yearly.
            every=pl.when(pl.col("slot") >= RENEWAL).then(pl.min_horizontal("every", twelve)).otherwise("every"),
        )
        .filter(pl.col("start_on") <= horizon.cut)
        .sort("deal")
    )


def _recurring(deal: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Lines of products 0..n-1 for the deals that carry the customer's whole set."""
    whole = deal.filter(pl.col("slot").is_in([NEW, RENEWAL, REACTIVATION, CANCELLATION]))
    frame = whole.with_columns(line=pl.int_ranges(0, "products", dtype=pl.Int64)).explode("line")
    key = pl.col("c") * 64 + pl.col("line")
    quantity = 2 + chance.below(key, "quantity", 40)
    change = chance.chosen(pl.col("c"), "renewed", [(100, 60), (150, 25), (50, 15)])
    reduced = pl.when((pl.col("event") == DOWNGRADE) & (pl.col("line") == 0)).then(quantity - quantity // 2)
    later = pl.max_horizontal(pl.lit(1, dtype=pl.Int64), reduced.otherwise(quantity) * change // 100)
    return frame.with_columns(
        product=(pl.col("c") * 5 + pl.col("line")) % 12 + 1,
        quantity=pl.when(pl.col("slot") == CANCELLATION)
        .then(-quantity)
        .when(pl.col("slot") >= RENEWAL)
        .then(later)
        .otherwise(quantity),
        level=pl.when((pl.col("slot") >= RENEWAL) & (chance.below(pl.col("c"), "uplift", 100) < 40))
        .then(1)
        .otherwise(0),
        from_month=pl.lit(0, dtype=pl.Int64),
        line_months=pl.col("deal_months"),
    )


def _special(deal: pl.DataFrame, chance: Chance) -> list[pl.DataFrame]:
    """Upsold, downgraded, ramp, one-time and usage lines."""
    c, none = pl.col("c"), pl.lit(0, dtype=pl.Int64)
    base = deal.with_columns(level=pl.lit(0, dtype=pl.Int32), from_month=none, line_months=pl.col("deal_months"))
    first = 2 + chance.below(c * 64, "quantity", 40)
    ramped = (pl.col("slot") == NEW) & pl.col("ramps") & (pl.col("event") == 0)
    setup = (pl.col("slot") == NEW) & (chance.below(c, "setup", 100) < 45)
    metered = pl.col("slot").is_in([NEW, RENEWAL]) & (pl.col("event") != CANCELLATION)
    metered = metered & (pl.col("every") <= 3) & (chance.below(c, "metered", 100) < 30)
    second = (c * 5) % 12 + 1
    return [
        base.filter(pl.col("slot") == UPSELL).with_columns(
            line=pl.lit(_UPSOLD), product=(c * 5 + 7) % 12 + 1, quantity=1 + chance.below(c, "upsold", 20)),
        base.filter(pl.col("slot") == DOWNGRADE).with_columns(
            line=none, product=second, quantity=-(first // 2)),
        base.filter(ramped).with_columns(
            line=pl.lit(_RAMP), product=second, quantity=first, from_month=none + 12, line_months=none + 12),
        base.filter(setup).with_columns(
            line=pl.lit(_SETUP), product=21 + chance.below(c, "which", 2), quantity=none + 1, line_months=none + 1),
        base.filter(metered).with_columns(
            line=pl.lit(_USAGE), product=31 + chance.below(c, "meter", 2), quantity=none),
    ]  # fmt: skip


def _discounts(frame: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    drawn = chance.chosen(pl.col("c") * 4 + pl.col("level"), "discount", [(0, 62), (5, 12), (10, 14), (20, 12)])
    return frame.with_columns(disc_pct=pl.when(pl.col("charge") == "U").then(0).otherwise(drawn).cast(pl.Int64))


def contract_lines(deal: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    """Return contract lines. Grain: ``cl``, a line of a deal; ramp steps are lines of their own.

    ``price`` is per unit and month in minor units before discount (a multiple of 20, so ``disc_pct`` is exact);
    ``mrr`` and ``tcv`` are net of discount, in minor units; usage has no committed value (both zero).
    """
    keep = ["deal", "c", "slot", "root", "line", "product", "quantity", "level", "from_month", "line_months",
            "start_on", "signed_on", "every", "arrears", "entity", "ccy", "func", "tax_bp", "event", "at"]  # fmt: skip
    parts = [_recurring(deal, chance), *_special(deal, chance)]
    frame = pl.concat([p.select(pl.col(k).cast(pl.Int64) if p[k].dtype.is_integer() else pl.col(k) for k in keep)
                       for p in parts])  # fmt: skip
    frame = frame.join(price_table(), on=["product", "ccy"], how="left", maintain_order="left")
    frame = _discounts(frame, chance).with_columns(
        cl=pl.col("deal") * LINES + pl.col("line"),
        price=pl.when(pl.col("level") == 1).then(pl.col("price") * 21 // 400 * 20).otherwise(pl.col("price")),
        seg_start=add_months(pl.col("start_on"), pl.col("from_month")),
    )
    unit = pl.col("price") * (100 - pl.col("disc_pct")) // 100 * pl.col("quantity")
    return frame.with_columns(
        seg_end=add_days(add_months(pl.col("seg_start"), pl.col("line_months")), -1),
        mrr=pl.when(pl.col("charge") == "R").then(unit).otherwise(0),
        tcv=unit * pl.col("line_months"),
    ).sort("cl")  # fmt: skip
