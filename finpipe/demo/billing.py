"""Invoices: what was billed, when, with which tax, in which currency; voids and their re-issue.

Belongs here: issued invoices and their lines. Does not: credit notes and money (``cash``), postings (``ledger``).
Subscriptions are billed in advance or, some monthly and quarterly ones, in arrears; usage always in arrears (the day
after its service period). All lines of a customer
that fall on one date share an invoice. A voided invoice is issued again, whole, on the day of the void: the contract
was right, the document was not.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.contracts import CANCELLATION, NEW
from finpipe.demo.exact import Chance, add_days, add_months, half_up, times_ratio
from finpipe.demo.world import DIGITS, ENTITIES, RATE_SCALE, Horizon, entity_currencies

INVOICES = 128  # invoice key = account x INVOICES + its number at that customer (1, 2, 3, ... without gaps)
INVOICE_LINES = 64  # invoice line key = invoice x INVOICE_LINES + position


def _chunks(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per contract line and billing step, ``offset`` months after the start of the line."""
    billed = lines.filter(pl.col("slot") != CANCELLATION)
    count = (pl.col("line_months") + pl.col("every") - 1) // pl.col("every")
    frame = billed.with_columns(k=pl.int_ranges(0, pl.when(pl.col("charge") == "O").then(1).otherwise(count)))
    frame = frame.explode("k").with_columns(offset=pl.col("k") * pl.col("every"))
    stopped = (pl.col("event") == CANCELLATION) & (pl.col("slot") == NEW) & (pl.col("offset") >= pl.col("at"))
    left = pl.col("line_months") - pl.col("offset")
    return frame.filter(~stopped).with_columns(months=pl.min_horizontal("every", left))


def _dated(chunks: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    usage = pl.col("charge") == "U"
    after = usage | (pl.col("arrears") & (pl.col("charge") == "R"))
    begins = add_months(pl.col("seg_start"), pl.col("offset"))
    frame = chunks.with_columns(s_on=begins, next_on=add_months(begins, pl.col("months")))
    drawn = 40 + chance.below(pl.col("cl") * 64 + pl.col("k"), "used", 2000)
    frame = frame.with_columns(
        invoiced_on=pl.when(after).then("next_on").otherwise("s_on"),
        e_on=add_days(pl.col("next_on"), -1),
        quantity=pl.when(usage).then(drawn).otherwise("quantity"),
        months=pl.when(usage).then(1).otherwise("months").cast(pl.Int64),
    ).filter(pl.col("invoiced_on") <= horizon.cut)
    gross = pl.col("price") * pl.col("quantity") * pl.col("months")
    return frame.with_columns(gross=gross, disc=gross * pl.col("disc_pct") // 100).with_columns(
        net=pl.col("gross") - pl.col("disc"),
        proration=(pl.col("charge") == "R") & (pl.col("months") != pl.col("every")),
    )


def _with_reissues(lines: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    key = pl.col("c") * 100_000 + pl.col("invoiced_on").cast(pl.Int32)
    void_on = add_days(pl.col("invoiced_on"), 12 + chance.below(key, "void days", 50))
    is_voided = (chance.below(key, "void", 1000) < 18) & (void_on <= horizon.cut)
    first = lines.with_columns(void_on=pl.when(is_voided).then(void_on), reissue=pl.lit(0, dtype=pl.Int64))
    again = first.filter(pl.col("void_on").is_not_null()).with_columns(
        invoiced_on=pl.col("void_on"), void_on=pl.lit(None, dtype=pl.Date), reissue=pl.lit(1, dtype=pl.Int64)
    )
    return pl.concat([first, again])


def _numbered(lines: pl.DataFrame) -> pl.DataFrame:
    order = ["c", "invoiced_on", "reissue", "cl"]
    number = pl.struct("invoiced_on", "reissue").rank("dense").over("c").cast(pl.Int64)
    position = pl.int_range(pl.len(), dtype=pl.Int64).over("inv")
    frame = lines.sort(order).with_columns(inv=pl.col("c") * INVOICES + number, n=number)
    return frame.with_columns(position=position).with_columns(il=pl.col("inv") * INVOICE_LINES + pl.col("position"))


def invoice_lines(lines: pl.DataFrame, rates: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return issued invoice lines. Grain: ``il``. Minor units of ``ccy``; net = gross - disc; tax on top of net.

    ``net_func`` is in minor units of ``func``, rounded cumulatively over the invoice, so lines add up to the whole.
    """
    frame = _numbered(_with_reissues(_dated(_chunks(lines), chance, horizon), chance, horizon))
    frame = frame.with_columns(tax=half_up(pl.col("net") * pl.col("tax_bp"), 10_000))
    rated = frame.join(
        rates.select("entity", "ccy", pl.col("day").alias("invoiced_on"), "rate"),
        on=["entity", "ccy", "invoiced_on"], how="left", maintain_order="left",
    ).join(func_scale(), on=["ccy", "func"], how="left", maintain_order="left")  # fmt: skip
    upto = pl.col("net").cum_sum().over("inv")
    keep = [
        "il",
        "inv",
        "c",
        "n",
        "cl",
        "deal",
        "root",
        "position",
        "product",
        "charge",
        "level",
        "entity",
        "ccy",
        "func",
        "quantity",
        "price",
        "months",
        "every",
        "gross",
        "disc",
        "disc_pct",
        "net",
        "tax",
        "tax_bp",
        "s_on",
        "e_on",
        "proration",
        "invoiced_on",
        "void_on",
        "reissue",
        "rate",
        "scale_num",
        "scale_den",
        "net_func",
    ]
    return rated.with_columns(
        net_func=functional(upto) - functional(upto - pl.col("net"))
    ).select(keep).sort("il")  # fmt: skip


def func_scale() -> pl.DataFrame:
    """Return, per currency pair, the ratio between minor units: functional minor = minor x rate x num / den."""
    rows = {
        (ccy, e.currency, 10 ** DIGITS[e.currency], 10 ** DIGITS[ccy]) for e in ENTITIES for ccy in entity_currencies(e)
    }
    return pl.DataFrame(sorted(rows), schema=["ccy", "func", "scale_num", "scale_den"], orient="row")


def functional(amount: pl.Expr, rate: pl.Expr | None = None) -> pl.Expr:
    """Translate minor units into functional minor units at ``rate`` (default: the row's), half away from zero."""
    used = pl.col("rate") if rate is None else rate
    den = pl.col("scale_den").cast(pl.Int128) * RATE_SCALE
    return times_ratio(amount, used.cast(pl.Int128) * pl.col("scale_num"), den)


def invoices(lines: pl.DataFrame, buyers: pl.DataFrame) -> pl.DataFrame:
    """Return invoice headers. Grain: ``inv``; sums of their lines; due on issue by card, after the terms by wire."""
    first = ["c", "n", "entity", "ccy", "func", "invoiced_on", "void_on", "reissue", "rate", "scale_num", "scale_den"]
    sums = [pl.col(k).sum() for k in ("gross", "disc", "net", "tax", "net_func")]
    frame = lines.group_by("inv", maintain_order=True).agg(
        *[pl.col(k).first() for k in first], pl.col("root").min(), pl.col("deal").max(), *sums, pl.len().alias("lines")
    )
    frame = frame.join(buyers.select("c", "is_wire", "terms"), on="c", how="left", maintain_order="left")
    total = pl.col("net") + pl.col("tax")
    return frame.with_columns(
        total=total, total_func=functional(total),
        due_on=pl.when("is_wire").then(add_days(pl.col("invoiced_on"), pl.col("terms"))).otherwise("invoiced_on"),
    ).with_columns(tax_func=pl.col("total_func") - pl.col("net_func")).sort("inv")  # fmt: skip
