"""The truth beside the extracts: what a correct pipeline must find, as plain CSV.

Belongs here: the tables a judge compares marts with. Does not: anything read back from the extracts.
Amounts are decimal text in the currency named beside them (``currency`` = transaction, ``functional_currency``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.cash import WRITTEN
from finpipe.demo.company import Block
from finpipe.demo.contracts import CANCELLATION, DOWNGRADE, KINDS, RENEWAL, UPSELL
from finpipe.demo.exact import add_days, decimal_text
from finpipe.demo.world import DIGITS, ENTITIES

CREDIT_KINDS = ("pre_payment", "post_payment", "void", "residual")


def money(column: str, currency: str = "ccy") -> pl.Expr:
    """Write an amount with the decimals of its currency."""
    return decimal_text(pl.col(column), pl.col(currency).replace_strict(DIGITS, return_dtype=pl.Int64))


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String)


def _invoice_ref() -> pl.Expr:
    return ids.invoice_tid(pl.col("inv")).cast(pl.String)


def with_mrr(deals: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add the customer's MRR before and after each deal (minor units, net of discount, usage excluded).

    A ramp's second step counts from its own date and is no part of these figures; a renewal replaces what ends.
    """
    own = lines.filter(pl.col("from_month") == 0).group_by("deal").agg(pl.col("mrr").sum())
    frame = deals.join(own, on="deal", how="left", maintain_order="left").sort("c", "start_on", "deal")
    adds = pl.col("slot").is_in([UPSELL, DOWNGRADE, CANCELLATION])
    ramp = lines.filter(pl.col("from_month") > 0).group_by("deal").agg(step=pl.col("mrr").sum())
    base = frame.join(ramp, on="deal", how="left", maintain_order="left").with_columns(step=pl.col("step").fill_null(0))
    # Of a customer's deals at most one amends slot 0, before any renewal: so running sums stay this simple.
    first = pl.col("mrr").filter(pl.col("slot") == 0).sum().over("c")
    amended = pl.col("mrr").filter(adds).sum().over("c")
    stepped = pl.col("step").sum().over("c")
    before = pl.when(pl.col("slot") == RENEWAL).then(first + amended + stepped).when(adds).then(first).otherwise(0)
    after = pl.when(adds).then(first + pl.col("mrr")).otherwise(pl.col("mrr"))
    return base.with_columns(mrr_before=before, mrr_after=after)


def bookings(block: Block) -> pl.DataFrame:
    """Return bookings movements. Grain: won opportunity; signed on; MRR of the customer before and after."""
    frame = with_mrr(block.deals, block.contract_lines)
    one_time = block.contract_lines.filter(pl.col("charge") == "O").group_by("deal").agg(one_time=pl.col("tcv").sum())
    frame = frame.join(one_time, on="deal", how="left", maintain_order="left").with_columns(
        pl.col("one_time").fill_null(0)
    )
    return frame.sort("deal").select(
        opportunity_id=ids.salesforce("006", pl.col("deal")),
        account_id=ids.salesforce("001", pl.col("c")),
        contract_id=ids.salesforce("800", pl.col("root")),
        legal_entity=_text("entity"),
        kind=pl.col("slot").replace_strict(list(range(6)), list(KINDS), return_dtype=pl.String),
        booked_on="signed_on",
        starts_on="start_on",
        ends_on=add_days(pl.col("ends_before"), -1),
        currency="ccy",
        tcv=money("tcv"),
        one_time=money("one_time"),
        mrr_before=money("mrr_before"),
        mrr_after=money("mrr_after"),
    )


def booking_lines(block: Block) -> pl.DataFrame:
    """Return booked lines. Grain: contract line (a ramp step is a line)."""
    return block.contract_lines.select(
        line_id=ids.salesforce("00k", pl.col("cl")),
        opportunity_id=ids.salesforce("006", pl.col("deal")),
        account_id=ids.salesforce("001", pl.col("c")),
        product=_text("product"),
        charge="charge",
        quantity="quantity",
        booked_on="signed_on",
        starts_on="seg_start",
        ends_on="seg_end",
        currency="ccy",
        tcv=money("tcv"),
        mrr=money("mrr"),
    )


def billings(block: Block) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (documents, lines). Grain: invoice or credit; invoice line. Credits are positive amounts of their kind."""
    inv = block.invoices.select(
        document_id=_invoice_ref(),
        kind=pl.lit("invoice"),
        customer=ids.customer_ref(pl.col("c")),
        legal_entity=_text("entity"),
        billing_id=pl.when(~pl.col("is_wire")).then(ids.stripe("in", pl.col("inv"))),
        document_number=ids.invoice_number(pl.col("c"), pl.col("n")),
        invoice_id=_invoice_ref(),
        issued_on="invoiced_on",
        due_on="due_on",
        voided_on="void_on",
        currency="ccy",
        gross=money("gross"),
        discount=money("disc"),
        net=money("net"),
        tax=money("tax"),
        total=money("total"),
        functional_currency="func",
        total_functional=money("total_func", "func"),
    )
    zero = pl.lit(0, dtype=pl.Int64)
    nothing = decimal_text(zero, pl.col("ccy").replace_strict(DIGITS, return_dtype=pl.Int64))
    main = block.entries.filter((pl.col("line") == 0) & pl.col("type").is_in(["CustCred", "Journal"])).select(
        "tid", "func_amount"
    )
    noted = block.credits.filter(pl.col("kind") != WRITTEN).with_columns(tid=ids.credit_tid(pl.col("cn")))
    noted = noted.join(main, on="tid", how="left", maintain_order="left").with_columns(worth=-pl.col("func_amount"))
    kind = pl.col("kind").replace_strict(list(range(4)), list(CREDIT_KINDS), return_dtype=pl.String)
    cred = noted.select(
        document_id=_text("tid"), kind=pl.lit("credit_") + kind, customer=ids.customer_ref(pl.col("c")),
        legal_entity=_text("entity"),
        billing_id=pl.when(~pl.col("is_wire") & (pl.col("kind") != 2)).then(ids.stripe("cn", pl.col("cn"))),
        document_number=ids.invoice_number(pl.col("c"), pl.col("n")), invoice_id=_invoice_ref(), issued_on="dated_on",
        due_on=pl.lit(None, dtype=pl.Date), voided_on=pl.lit(None, dtype=pl.Date), currency="ccy", gross=money("net"),
        discount=nothing, net=money("net"), tax=money("tax"), total=money("total"), functional_currency="func",
        total_functional=money("worth", "func"),
    )  # fmt: skip
    lines = block.invoice_lines.select(
        document_id=_invoice_ref(),
        billing_line_id=ids.stripe("il", pl.col("il")),
        product=_text("product"),
        charge="charge",
        quantity="quantity",
        starts_on="s_on",
        ends_on="e_on",
        currency="ccy",
        gross=money("gross"),
        discount=money("disc"),
        net=money("net"),
        tax=money("tax"),
    )
    return pl.concat([inv, cred]), lines


def write_offs(block: Block) -> pl.DataFrame:
    """Return what was given up. Grain: write-off, of one whole invoice; no billing, it leaves the receivable."""
    worth = block.applications.filter(pl.col("source") == "write_off").select(cn="key", worth="relief_func")
    frame = block.credits.join(worth, on="cn", how="inner", maintain_order="left")
    return frame.select(
        document_id=ids.credit_tid(pl.col("cn")).cast(pl.String), customer=ids.customer_ref(pl.col("c")),
        legal_entity=_text("entity"), invoice_id=_invoice_ref(), written_on="dated_on", currency="ccy",
        amount=money("total"), functional_currency="func", amount_functional=money("worth", "func"),
    )  # fmt: skip


def collections(block: Block) -> pl.DataFrame:
    """Return money moved. Grain: payment, refund, chargeback or its reinstatement; positive amounts of their kind."""
    none = pl.lit(None, dtype=pl.String)
    zero = pl.lit(0, dtype=pl.Int64)

    def rows(frame: pl.DataFrame, kind: str, **given: pl.Expr) -> pl.DataFrame:
        ready = frame.with_columns(**given)
        return ready.select(
            payment_id="payment_id",
            kind=pl.lit(kind),
            customer=ids.customer_ref(pl.col("c")),
            legal_entity=_text("entity"),
            processor_id="processor_id",
            paid_on="on",
            currency="ccy",
            amount=money("amount"),
            fee=money("cost"),
            refunded_later=money("excess"),
        )

    wire = pl.col("is_wire")
    key = pl.col("pay")
    return pl.concat(
        [
            rows(
                block.payments,
                "payment",
                payment_id=ids.payment_tid(key).cast(pl.String),
                on=pl.col("paid_on"),
                cost=pl.col("fee"),
                processor_id=pl.when(~wire).then(ids.stripe("ch", key)),
            ),
            rows(
                block.refunds,
                "refund",
                payment_id=ids.refund_tid(pl.col("rf")).cast(pl.String),
                on=pl.col("refunded_on"),
                cost=zero,
                excess=zero,
                processor_id=pl.when(~wire).then(ids.stripe("re", pl.col("rf"))),
            ),
            rows(
                block.disputes,
                "chargeback",
                payment_id=none,
                on=pl.col("opened_on"),
                cost=pl.col("dispute_fee"),
                excess=zero,
                processor_id=ids.stripe("dp", key),
            ),
            rows(
                block.disputes.filter("is_won"),
                "reinstatement",
                payment_id=none,
                on=pl.col("closed_on"),
                cost=zero,
                excess=zero,
                processor_id=ids.stripe("dp", key),
            ),
        ]
    )


def applications(block: Block) -> pl.DataFrame:
    """Return applications. Grain: source document x target; ERP ids; relief is what leaves the receivable account."""
    paid = pl.col("source") == "payment"
    source = pl.when(paid).then(ids.payment_tid(pl.col("key"))).otherwise(ids.credit_tid(pl.col("key")))
    none = pl.lit(None, dtype=pl.String)
    to_invoice = block.applications.select(
        kind=pl.col("source") + "_to_invoice",
        from_id=source.cast(pl.String),
        to_id=_invoice_ref(),
        applied_on="applied_on",
        currency="ccy",
        amount=money("amount"),
        functional_currency="func",
        relief=money("relief_func", "func"),
    )
    repaid = block.refunds.select(
        kind=pl.lit("refund_to_") + pl.col("source"), from_id=ids.refund_tid(pl.col("rf")).cast(pl.String),
        to_id=source.cast(pl.String), applied_on="refunded_on", currency="ccy", amount=money("amount"),
        functional_currency="func", relief=none,
    )  # fmt: skip
    return pl.concat([to_invoice, repaid])


def open_invoices(block: Block) -> pl.DataFrame:
    """Return what is open at the cut. Grain: invoice; for AR aging by due date."""
    used = block.applications.group_by("inv").agg(pl.col("amount").sum(), pl.col("relief_func").sum())
    frame = block.invoices.join(used, on="inv", how="left", maintain_order="left")
    frame = frame.with_columns(
        left=pl.col("total") - pl.col("amount").fill_null(0),
        left_func=pl.col("total_func") - pl.col("relief_func").fill_null(0),
    ).filter((pl.col("left") != 0) & pl.col("void_on").is_null())
    return frame.select(
        invoice_id=_invoice_ref(),
        customer=ids.customer_ref(pl.col("c")),
        legal_entity=_text("entity"),
        due_on="due_on",
        currency="ccy",
        open=money("left"),
        functional_currency="func",
        open_functional=money("left_func", "func"),
    )


def revenue_lines(block: Block) -> pl.DataFrame:
    """Return revenue recognised up to the cut. Grain: invoice line x period of the entity with any."""
    keep = ["inv", "position", "entity", "ccy", "period", "amount", "own"]
    both = pl.concat([block.revenue.select(keep), block.sales.select(keep)]).sort("inv", "position", "period")
    func = pl.col("entity").replace_strict(
        [e.no for e in ENTITIES], [e.currency for e in ENTITIES], return_dtype=pl.String
    )
    return both.with_columns(func=func).select(
        document_id=_invoice_ref(),
        line=pl.col("position") + 1,
        legal_entity=_text("entity"),
        period=_text("period"),
        currency="ccy",
        recognised=money("own"),
        functional_currency="func",
        recognised_functional=money("amount", "func"),
    )


def journal_lines(entries: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger. Grain: document line, with its ``period``."""
    return entries.select(
        document_id=_text("tid"),
        line="line",
        type="type",
        legal_entity=_text("entity"),
        dated_on="dated_on",
        period=_text("period"),
        account=_text("account"),
        currency="ccy",
        amount=money("foreign"),
        functional_currency="func",
        functional_amount=money("func_amount", "func"),
    )
