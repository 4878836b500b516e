"""What the ERP shows: SuiteAnalytics tables as CSV columns.

Belongs here: the native shape of the books and their reference data. Does not: what is posted (``ledger``).
Signs: the main line of CustInvc and CustRfnd is positive, of CustCred and CustPymt negative, as is ``foreigntotal``.
Deletion: a duplicate entered and hard-deleted leaves nothing but its row in ``deletedrecord``.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.billing import INVOICES
from finpipe.demo.cash import VOID
from finpipe.demo.exact import add_days, decimal_text, scaled_text
from finpipe.demo.world import CURRENCY_ID, DIGITS

ITEM_TAX = 99


def day_text(column: str) -> pl.Expr:
    """Write a date column as ISO text, null as null."""
    return pl.col(column).dt.to_string("%Y-%m-%d")


def stamp(day: pl.Expr, hour: int = 10) -> pl.Expr:
    """Write a NetSuite moment on a day."""
    return day.dt.to_string("%Y-%m-%d") + f" {hour:02d}:15:00"


def digits_of(column: str) -> pl.Expr:
    """Return the decimals of a currency column."""
    return pl.col(column).replace_strict(DIGITS, return_dtype=pl.Int64)


def currency_ref() -> pl.Expr:
    """Return the ERP's id of the row's currency ``ccy``."""
    return pl.col("ccy").replace_strict({k: str(v) for k, v in CURRENCY_ID.items()}, return_dtype=pl.String)


def text(column: str) -> pl.Expr:
    """Write a column as text."""
    return pl.col(column).cast(pl.String)


def customers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return customer rows: the buyers. ``parent`` only where the parent buys too."""
    buyers = frame.filter(pl.col("role") == 1)
    parent = pl.when(pl.col("parent").is_in(buyers["c"].implode())).then(ids.customer_ref(pl.col("parent")))
    changed = pl.when("is_renamed").then("renamed_on").otherwise("created_on")
    return buyers.select(
        id=ids.customer_ref(pl.col("c")), entityid=pl.lit("C-") + text("c"), companyname="name", parent=parent,
        currency=currency_ref(), subsidiary=text("entity"), email=pl.lit("billing@") + pl.col("domain"),
        url=pl.lit("https://") + pl.col("domain"), vatregnumber="tax_id",
        terms=pl.when("is_wire").then(pl.lit("Net ") + text("terms")).otherwise(pl.lit("Due on receipt")),
        externalid=ids.salesforce("001", pl.col("c")), custentity_crm_account_id=ids.salesforce("001", pl.col("c")),
        custentity_billing_customer_id=pl.when(~pl.col("is_wire")).then(ids.stripe("cus", pl.col("c"))),
        isinactive=pl.lit("F"), datecreated=stamp(pl.col("created_on")), lastmodifieddate=stamp(changed),
    )  # fmt: skip


def with_period(docs: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Add the posting ``period`` of the entity's own calendar."""
    starts = spans.select("entity", "period", dated_on="first_on").sort("entity", "dated_on")
    ordered = docs.sort("dated_on").join_asof(
        starts.sort("dated_on"), on="dated_on", by="entity", check_sortedness=False
    )
    return ordered.sort("tid")


def transactions(docs: pl.DataFrame, modified: pl.DataFrame) -> pl.DataFrame:
    """Return transaction rows. ``docs`` have their ``period``; ``modified`` says what became of invoices."""
    frame = docs.join(modified, on="tid", how="left", maintain_order="left")
    last = pl.max_horizontal("dated_on", "last_on", "void_on")
    void = pl.col("void_on").is_not_null()
    posting = pl.col("type") != "SalesOrd"
    status = pl.col("type").replace_strict({"SalesOrd": "G", "CustRfnd": "B"}, default="B", return_dtype=pl.String)
    is_open = (pl.col("type") == "CustInvc") & (pl.col("open") != 0)
    state = pl.when(void).then(pl.lit("V")).when(is_open).then(pl.lit("A")).otherwise(status)
    return frame.select(
        id=text("tid"),
        tranid="tranid",
        transactionnumber=pl.lit("TN") + text("tid"),
        type="type",
        trandate=day_text("dated_on"),
        duedate=day_text("due_on"),
        postingperiod=pl.when(posting).then(text("period")),
        entity=pl.when(pl.col("type") != "Journal").then(ids.customer_ref(pl.col("c"))),
        currency=currency_ref(),
        exchangerate=scaled_text(pl.col("rate"), 8),
        foreigntotal=decimal_text(pl.col("total"), digits_of("ccy")),
        status=pl.col("type") + ":" + state,
        posting=pl.when(posting).then(pl.lit("T")).otherwise(pl.lit("F")),
        voided=pl.when(void).then(pl.lit("T")).otherwise(pl.lit("F")),
        reversal=pl.when(void).then((pl.col("tid") + 1 + VOID).cast(pl.String)),
        reversaldate=day_text("void_on"),
        memo="memo",
        externalid="ext",
        otherrefnum="ref",
        createddate=stamp(pl.col("dated_on"), 9),
        lastmodifieddate=stamp(last, 17),
    )


def transaction_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Return transactionline rows. ``lines`` carry their document's type, entity, currencies, date and customer."""
    priced = pl.col("item").is_not_null()
    item = pl.when("is_tax").then(pl.lit(str(ITEM_TAX))).otherwise(text("item"))
    kind = pl.when("is_tax").then(pl.lit("TaxItem")).when(priced).then(pl.lit("Service"))
    return lines.select(
        uniquekey=(pl.col("tid") * 64 + pl.col("line")).cast(pl.String),
        transaction=text("tid"),
        id=text("line"),
        linesequencenumber=text("line"),
        mainline=pl.when(pl.col("line") == 0).then(pl.lit("T")).otherwise(pl.lit("F")),
        taxline=pl.when("is_tax").then(pl.lit("T")).otherwise(pl.lit("F")),
        item=item,
        itemtype=kind,
        quantity=text("quantity"),
        rate=decimal_text(pl.col("price"), digits_of("ccy")),
        foreignamount=decimal_text(pl.col("foreign"), digits_of("ccy")),
        netamount=decimal_text(pl.col("func_amount"), digits_of("func")),
        subsidiary=text("entity"),
        entity=ids.customer_ref(pl.col("c")),
        memo=pl.lit(None, dtype=pl.String),
        isclosed=pl.lit("F"),
        linelastmodifieddate=stamp(pl.col("dated_on"), 9),
        custcol_service_start=day_text("s_on"),
        custcol_service_end=day_text("e_on"),
    )


def accounting_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Return transactionaccountingline rows of posting documents: the primary book, debit positive."""
    amount = pl.col("func_amount")
    digits = digits_of("func")
    return lines.filter(pl.col("type") != "SalesOrd").select(
        transaction=text("tid"),
        transactionline=text("line"),
        accountingbook=pl.lit("1"),
        account=text("account"),
        amount=decimal_text(amount, digits),
        debit=pl.when(amount > 0).then(decimal_text(amount, digits)),
        credit=pl.when(amount < 0).then(decimal_text(-amount, digits)),
        netamount=decimal_text(amount, digits),
        posting=pl.lit("T"),
        exchangerate=scaled_text(pl.col("rate"), 8),
        lastmodifieddate=stamp(pl.col("dated_on"), 9),
    )


def links(applied: pl.DataFrame, refund: pl.DataFrame, billed: pl.DataFrame) -> pl.DataFrame:
    """Return nexttransactionlinelink rows: applications, refunds and orders billed."""
    paid = pl.col("source") == "payment"
    next_tid = pl.when(paid).then(ids.payment_tid(pl.col("key"))).otherwise(ids.credit_tid(pl.col("key")))
    to_invoice = applied.select(
        prev=ids.invoice_tid(pl.col("inv")), next=next_tid, prev_type=pl.lit("CustInvc"),
        next_type=pl.when(paid).then(pl.lit("CustPymt")).otherwise(pl.lit("CustCred")), kind=pl.lit("Payment"),
        amount="amount", ccy="ccy", day="applied_on",
    )  # fmt: skip
    from_payment = pl.col("source") == "payment"
    prev = pl.when(from_payment).then(ids.payment_tid(pl.col("key"))).otherwise(ids.credit_tid(pl.col("key")))
    repaid = refund.select(
        prev=prev, next=ids.refund_tid(pl.col("rf")),
        prev_type=pl.when(from_payment).then(pl.lit("CustPymt")).otherwise(pl.lit("CustCred")),
        next_type=pl.lit("CustRfnd"), kind=pl.lit("Payment"), amount="amount", ccy="ccy", day="refunded_on",
    )  # fmt: skip
    ordered = billed.select(
        prev=ids.order_tid(pl.col("deal")), next=ids.invoice_tid(pl.col("inv")), prev_type=pl.lit("SalesOrd"),
        next_type=pl.lit("CustInvc"), kind=pl.lit("OrdBill"), amount="net", ccy="ccy", day="invoiced_on",
    )  # fmt: skip
    return pl.concat([to_invoice, repaid, ordered]).select(
        previousdoc=text("prev"), previousline=pl.lit("0"), nextdoc=text("next"), nextline=pl.lit("0"),
        previoustype="prev_type", nexttype="next_type", linktype="kind",
        foreignamount=decimal_text(pl.col("amount"), digits_of("ccy")), lastmodifieddate=stamp(pl.col("day"), 17),
    )  # fmt: skip


def deleted_records(inv: pl.DataFrame) -> pl.DataFrame:
    """Return deletedrecord rows: invoices entered twice by hand and hard-deleted the next day."""
    twice = inv.filter(pl.col("inv") % 199 == 0)
    number = ids.invoice_number(pl.col("c"), pl.col("n"))
    return twice.select(
        recordid=(ids.invoice_tid(pl.col("c") * INVOICES) + pl.col("n") % 32).cast(pl.String),
        recordtypeid=pl.lit("-30"),
        type=pl.lit("transaction"),
        name=pl.lit("Invoice #") + number + "-A",
        deleteddate=stamp(add_days(pl.col("invoiced_on"), 1)),
        deletedby=pl.lit("AR clerk"),
    )
