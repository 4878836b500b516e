"""What the billing platform shows: Stripe objects of card customers, one frame of native members per object.

Belongs here: the native shape since API 2025-03-31 (InvoicePayment, pricing, total_taxes). Does not: wire customers,
who are invoiced in the ERP only. Amounts are integer minor units, instants are epoch seconds at 10:00 UTC of the
business day. An invoice embeds at most ten lines; the rest stands in ``invoice_line_item``.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.cash import POST, VOID
from finpipe.demo.contracts import CANCELLATION
from finpipe.demo.world import PRODUCTS, Horizon, price_table

EMBEDDED = 10
_EVERY = (1, 3, 12, 24)


def epoch(day: pl.Expr, hour: int = 10) -> pl.Expr:
    """Return epoch seconds at an hour of a day."""
    return day.cast(pl.Int32).cast(pl.Int64) * 86_400 + hour * 3600


def lower(column: str = "ccy") -> pl.Expr:
    """Return the currency as Stripe writes it."""
    return pl.col(column).str.to_lowercase()


def customers(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return customer objects: buyers who pay by card."""
    buyers = accounts.filter((pl.col("role") == 1) & ~pl.col("is_wire"))
    c = pl.col("c")
    return buyers.select(
        id=ids.stripe("cus", c), object=pl.lit("customer"), name="name", email=pl.lit("billing@") + pl.col("domain"),
        currency=lower(), address=pl.struct(country="country"), created=epoch(pl.col("created_on")),
        metadata=pl.struct(crm_account_id=ids.salesforce("001", c), erp_customer_id=ids.customer_ref(c)),
    )  # fmt: skip


def deleted_customers(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return customers deleted in Stripe: trial sign-ups of prospects, of which only the id remains."""
    gone = accounts.filter((pl.col("role") == 2) & (pl.col("c") % 97 == 0))
    return gone.select(id=ids.stripe("cus", pl.col("c")), object=pl.lit("customer"), deleted=pl.lit(value=True))


def price_id(every: pl.Expr) -> pl.Expr:
    """Return the price a line was billed at: product, currency, billing interval in months, price level."""
    parts = [
        pl.col("product").cast(pl.String),
        lower(),
        every.cast(pl.String) + pl.lit("m"),
        pl.col("level").cast(pl.String),
    ]
    return pl.lit("price_") + pl.concat_str(parts, separator="_")


def reference(horizon: Horizon) -> dict[str, pl.DataFrame]:
    """Return product and price objects."""
    first = pl.lit(horizon.start)
    names = pl.DataFrame([(p[0], p[1]) for p in PRODUCTS], schema=["product", "name"], orient="row")
    product = names.select(
        id=product_id(), object=pl.lit("product"), name="name", active=pl.lit(value=True), created=epoch(first),
        metadata=pl.struct(crm_product_id=ids.salesforce("01t", pl.col("product")),
                           erp_item_id=pl.col("product").cast(pl.String)),
    )  # fmt: skip
    frame = price_table().join(pl.DataFrame({"every": _EVERY}), how="cross")
    frame = frame.join(pl.DataFrame({"level": [0, 1]}, schema={"level": pl.Int64}), how="cross")
    frame = frame.filter((pl.col("charge") == "R") | ((pl.col("every") == 1) & (pl.col("level") == 0)))
    at_level = pl.when(pl.col("level") == 1).then(pl.col("price") * 21 // 400 * 20).otherwise("price")
    amount = pl.when(pl.col("charge") == "R").then(at_level * pl.col("every")).otherwise("price")
    recurring = pl.when(pl.col("charge") != "O").then(pl.struct(
        interval=pl.lit("month"), interval_count="every",
        usage_type=pl.when(pl.col("charge") == "U").then(pl.lit("metered")).otherwise(pl.lit("licensed"))))  # fmt: skip
    price = frame.select(
        id=price_id(pl.col("every")), object=pl.lit("price"), product=product_id(), currency=lower(),
        active=pl.lit(value=True), unit_amount=amount, unit_amount_decimal=amount.cast(pl.String),
        type=pl.when(pl.col("charge") == "O").then(pl.lit("one_time")).otherwise(pl.lit("recurring")),
        recurring=recurring, created=epoch(first),
    )  # fmt: skip
    return {"product": product, "price": price}


def product_id() -> pl.Expr:
    """Return the Stripe product id of the row's ``product``."""
    return pl.lit("prod_P") + pl.col("product").cast(pl.String).str.zfill(3)


def billed_every() -> pl.Expr:
    """Return the interval of a line's price: one-time and usage prices exist per single month only."""
    return pl.when(pl.col("charge") == "R").then("every").otherwise(pl.lit(1, dtype=pl.Int64))


def subscriptions(lines: pl.DataFrame, deal: pl.DataFrame, horizon: Horizon) -> pl.DataFrame:
    """Return subscription objects: one per contract, with what is in force at the cut or was at its end."""
    used = lines.filter(
        (pl.col("slot") != CANCELLATION) & (pl.col("charge") != "O") & (pl.col("seg_start") <= horizon.cut)
    )
    items = used.group_by("root", "product", "level", "ccy", "every", "charge").agg(
        pl.col("quantity").sum(), pl.col("cl").min()
    )
    items = items.sort("root", "cl")
    parts = pl.struct(
        id=ids.stripe("si", pl.col("cl")),
        object=pl.lit("subscription_item"),
        subscription=ids.stripe("sub", pl.col("root")),
        quantity="quantity",
        price=pl.struct(id=price_id(billed_every()), product=product_id()),
    )
    data = items.group_by("root", maintain_order=True).agg(data=parts)
    # All lines of a subscription have one discount, or none; it holds as long as the subscription does.
    off = used.filter(pl.col("charge") == "R").group_by("root").agg(pl.col("disc_pct").max()).sort("root")
    data = data.join(off, on="root", how="left", maintain_order="left")
    stops = deal.filter(pl.col("slot") == CANCELLATION).select(deal="root", cancelled_on="start_on")
    roots = deal.filter(pl.col("deal") == pl.col("root")).join(stops, on="deal", how="left", maintain_order="left")
    roots = roots.join(data.rename({"root": "deal"}), on="deal", how="inner", maintain_order="left")
    ends = pl.coalesce("cancelled_on", "ends_before")
    over = ends <= horizon.cut
    discount = pl.struct(
        id=ids.stripe("di", pl.col("deal")), object=pl.lit("discount"), subscription=ids.stripe("sub", pl.col("deal")),
        start=epoch(pl.col("start_on")), end=epoch(ends),
        source=pl.struct(type=pl.lit("coupon"), coupon=pl.lit("OFF") + pl.col("disc_pct").cast(pl.String)),
    )  # fmt: skip
    return roots.select(
        id=ids.stripe("sub", pl.col("deal")),
        object=pl.lit("subscription"),
        customer=ids.stripe("cus", pl.col("c")),
        currency=lower(),
        status=pl.when(over).then(pl.lit("canceled")).otherwise(pl.lit("active")),
        created=epoch(pl.col("start_on")),
        start_date=epoch(pl.col("start_on")),
        cancel_at=epoch(ends),
        ended_at=pl.when(over).then(epoch(ends)),
        discounts=pl.when(pl.col("disc_pct") > 0).then(pl.concat_list(discount)).otherwise(pl.lit([])),
        items=pl.struct(
            object=pl.lit("list"), data="data", has_more=pl.lit(value=False), total_count=pl.col("data").list.len()
        ),
        metadata=pl.struct(
            opportunity_id=ids.salesforce("006", pl.col("deal")), crm_contract_id=ids.salesforce("800", pl.col("deal"))
        ),
    )


def line_items(lines: pl.DataFrame) -> pl.DataFrame:
    """Return line_item objects with their ``inv`` and ``position``."""
    taxes = (
        pl.when(pl.col("tax") != 0)
        .then(pl.concat_list(pl.struct(amount="tax", tax_behavior=pl.lit("exclusive"), taxable_amount="net")))
        .otherwise(pl.lit([]))
    )
    discounts = pl.when(pl.col("disc") != 0).then(pl.concat_list(
        pl.struct(amount="disc", discount=ids.stripe("di", pl.col("root"))))).otherwise(pl.lit([]))  # fmt: skip
    names = {p[0]: p[1] for p in PRODUCTS}
    recurring = pl.col("charge") != "O"
    sub = ids.stripe("sub", pl.col("root"))
    parent = pl.when(recurring).then(pl.struct(
        type=pl.lit("subscription_item_details"), subscription_item_details=pl.struct(
            subscription=sub, subscription_item=ids.stripe("si", pl.col("cl")), proration="proration")))  # fmt: skip
    return lines.select(
        "inv",
        "position",
        id=ids.stripe("il", pl.col("il")),
        object=pl.lit("line_item"),
        invoice=ids.stripe("in", pl.col("inv")),
        amount="gross",
        currency=lower(),
        description=pl.col("product").replace_strict(names, return_dtype=pl.String),
        quantity="quantity",
        period=pl.struct(start=epoch(pl.col("s_on"), 0), end=epoch(pl.col("e_on"), 0)),
        discount_amounts=discounts,
        taxes=taxes,
        parent=parent,
        pricing=pl.struct(
            type=pl.lit("price_details"), price_details=pl.struct(price=price_id(billed_every()), product=product_id())
        ),
    )


def invoices(plan: pl.DataFrame, settled: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return invoice objects. ``settled`` is what was paid and credited so far, from `settled_so_far`."""
    members = [k for k in items.columns if k not in ("inv", "position")]
    few = items.filter(pl.col("position") < EMBEDDED).group_by("inv", maintain_order=True).agg(data=pl.struct(members))
    frame = plan.filter(~pl.col("is_wire")).join(settled, on="inv", how="left", maintain_order="left")
    frame = frame.join(few, on="inv", how="left", maintain_order="left").with_columns(
        pl.col("paid", "credited", "post").fill_null(0),
        void=pl.col("void_on").is_not_null(),
        lost=pl.col("written_on").is_not_null(),
    )
    left = pl.when("void").then(0).otherwise(pl.col("total") - pl.col("paid") - pl.col("credited"))
    lost = pl.when("lost").then(pl.lit("uncollectible")).otherwise(pl.lit("open"))
    status = pl.when("void").then(pl.lit("void")).when(left == 0).then(pl.lit("paid")).otherwise(lost)
    empty = pl.lit([])
    taxes = (
        pl.when(pl.col("tax") != 0)
        .then(pl.concat_list(pl.struct(amount="tax", tax_behavior=pl.lit("exclusive"), taxable_amount="net")))
        .otherwise(empty)
    )
    off = (
        pl.when(pl.col("disc") != 0)
        .then(pl.concat_list(pl.struct(amount="disc", discount=ids.stripe("di", pl.col("inv")))))
        .otherwise(empty)
    )
    day = epoch(pl.col("invoiced_on"))
    return frame.select(
        id=ids.stripe("in", pl.col("inv")),
        object=pl.lit("invoice"),
        number=ids.invoice_number(pl.col("c"), pl.col("n")),
        status=status,
        collection_method=pl.lit("charge_automatically"),
        currency=lower(),
        customer=ids.stripe("cus", pl.col("c")),
        created=day,
        due_date=day,
        status_transitions=pl.struct(
            finalized_at=day,
            paid_at=pl.when(~pl.col("void") & (left == 0)).then(epoch(pl.col("paid_last_on"))),
            voided_at=epoch(pl.col("void_on")),
            marked_uncollectible_at=epoch(pl.col("written_on")),
        ),
        subtotal="gross",
        total_excluding_tax="net",
        total="total",
        total_discount_amounts=off,
        total_taxes=taxes,
        amount_due=pl.col("total") - pl.col("credited"),
        amount_paid="paid",
        amount_remaining=left,
        pre_payment_credit_notes_amount="credited",
        post_payment_credit_notes_amount="post",
        starting_balance=pl.lit(0),
        ending_balance=pl.lit(0),
        attempted=pl.col("paid") > 0,
        parent=pl.struct(
            type=pl.lit("subscription_details"),
            subscription_details=pl.struct(subscription=ids.stripe("sub", pl.col("root"))),
        ),
        metadata=pl.struct(
            legal_entity=pl.col("entity").cast(pl.String),
            opportunity_id=ids.salesforce("006", pl.col("root")),
            erp_invoice_id=ids.invoice_tid(pl.col("inv")).cast(pl.String),
        ),
        lines=pl.struct(
            object=pl.lit("list"),
            data="data",
            has_more=pl.col("lines") > EMBEDDED,
            total_count="lines",
            url=pl.lit("/v1/invoices/") + ids.stripe("in", pl.col("inv")) + "/lines",
        ),
    )


def more_lines(items: pl.DataFrame) -> pl.DataFrame:
    """Return the line items an invoice does not embed."""
    return items.filter(pl.col("position") >= EMBEDDED).drop("inv", "position")


def settled_so_far(applied: pl.DataFrame, credit: pl.DataFrame) -> pl.DataFrame:
    """Return what settled each invoice. Grain: ``inv``; in Stripe voids and write-offs do not count as credits."""
    paid = pl.col("source") == "payment"
    noted = (pl.col("source") == "credit") & (pl.col("key") % 4 != VOID)
    front = applied.group_by("inv").agg(
        paid=pl.col("amount").filter(paid).sum(), credited=pl.col("amount").filter(noted).sum(),
        paid_last_on=pl.col("applied_on").max(),
        written_on=pl.col("applied_on").filter(pl.col("source") == "write_off").max(),
    )  # fmt: skip
    post = credit.filter(pl.col("kind") == POST).select("inv", post="total")
    return front.join(post, on="inv", how="full", coalesce=True).sort("inv")
