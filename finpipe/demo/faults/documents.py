"""Faults in invoices, credits, payments and their applications: what the ERP or Stripe shows differently.

Belongs here: one function per code, each saying in its docstring how the fault looks. Does not: mechanics (``plan``).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl

from finpipe.demo import ids
from finpipe.demo.cash import POST, SINGLE, UNPAID
from finpipe.demo.faults.edits import ACCOUNTING, LINE, LINK, TRANSACTION, Row, shifted
from finpipe.demo.faults.plan import Planter, invoice_ref, other_entity, spare_tid, stripe_id
from finpipe.demo.world import CURRENCY_ID, DIGITS, ENTITIES, RATE_SCALE, usd_rate

CARD = ~pl.col("is_wire")
OPEN = (pl.col("plan") == UNPAID) & (pl.col("reissue") == 0)


def invoice_missing_in_erp(p: Planter) -> None:
    """INV-MISSING-ERP: an open Stripe invoice that the ERP does not have."""
    for v in p.pick("INV-MISSING-ERP", p.block.invoices, CARD & OPEN):
        tid, in_ = invoice_ref(v)
        p.remove_document(tid)
        p.note("INV-MISSING-ERP", "stripe/invoice", in_, v, amount=v["total"], day=v["invoiced_on"])


def invoice_missing_in_billing(p: Planter) -> None:
    """INV-MISSING-BILL: an invoice entered by hand in the ERP for a customer billed by Stripe."""
    for v in p.pick("INV-MISSING-BILL", p.block.invoices, CARD & (pl.col("plan") == SINGLE)):
        tid, new = v["inv"] * 32, spare_tid(v["inv"], 0)
        p.copy_document(tid, new, lambda row: row.update(tranid=f"MAN-{row['id']}", memo="Entered by hand"))
        p.note("INV-MISSING-BILL", TRANSACTION, str(new), v, amount=v["total"], day=v["invoiced_on"])


def invoice_amount(p: Planter) -> None:
    """INV-AMOUNT: the ERP invoice's first item, and so its net and total, is higher than Stripe's."""
    for v in p.pick("INV-AMOUNT", p.block.invoices, CARD & OPEN):
        tid, in_ = invoice_ref(v)
        delta = v["total"] // 7 + 1
        p.shift_document(tid, 1, delta, v)
        p.note("INV-AMOUNT", TRANSACTION, str(tid), v, amount=delta, day=v["invoiced_on"], related=in_)


def invoice_tax(p: Planter) -> None:
    """INV-TAX: the ERP invoice's tax, and so its total, is higher than Stripe's; its net is the same."""
    for v in p.pick("INV-TAX", p.block.invoices, CARD & OPEN & (pl.col("tax") > 0)):
        tid, in_ = invoice_ref(v)
        delta = v["tax"] // 4 + 50
        p.shift_document(tid, v["lines"] + 1, delta, v)
        p.note("INV-TAX", TRANSACTION, str(tid), v, amount=delta, day=v["invoiced_on"], related=in_)


def _rerate(p: Planter, tid: int, rate: int, digits: int, **header: str) -> None:
    """Translate an open ERP document anew; the main line takes the sum of the others, so it stays balanced."""
    rows = {r["id"]: r for r in p.rows(LINE, "transaction", str(tid))}
    factor = Decimal(rate) / RATE_SCALE
    value = {n: round(Decimal(r["foreignamount"]) * factor, digits) for n, r in rows.items() if n != "0"}
    value["0"] = -sum(value.values(), Decimal(0))
    p.edits.change(TRANSACTION, str(tid), exchangerate=f"{factor:.8f}", **header)
    for n, amount in value.items():
        text = f"{amount:.{digits}f}"
        p.edits.change(LINE, rows[n]["uniquekey"], netamount=text)
        p.edits.change(
            ACCOUNTING, f"{tid}|{n}", amount=text, netamount=text, exchangerate=f"{factor:.8f}",
            debit=text if amount > 0 else None, credit=text.removeprefix("-") if amount < 0 else None,
        )  # fmt: skip


def _cross_rate(p: Planter, base: str, currency: str, day: object) -> int:
    no = (day - p.world.horizon.start).days  # type: ignore[operator]
    return usd_rate(p.world.seed, currency, no) * RATE_SCALE // usd_rate(p.world.seed, base, no)


def invoice_currency(p: Planter) -> None:
    """INV-CCY: the ERP invoice has the right figures in the wrong currency."""
    for v in p.pick("INV-CCY", p.block.invoices, CARD & OPEN & ~pl.col("ccy").is_in(["JPY", "KWD"])):
        tid, in_ = invoice_ref(v)
        wrong = "EUR"
        _rerate(
            p,
            tid,
            _cross_rate(p, v["func"], wrong, v["invoiced_on"]),
            DIGITS[v["func"]],
            currency=str(CURRENCY_ID[wrong]),
        )
        p.note("INV-CCY", TRANSACTION, str(tid), v, amount=v["total"], day=v["invoiced_on"], related=in_)


def invoice_entity(p: Planter) -> None:
    """INV-ENTITY: the ERP invoice stands in another subsidiary's books, in its functional currency and period."""
    for v in p.pick("INV-ENTITY", p.block.invoices, CARD & OPEN):
        tid, in_ = invoice_ref(v)
        entity = ENTITIES[other_entity(v["entity"]) - 1]
        rate = _cross_rate(p, entity.currency, v["ccy"], v["invoiced_on"])
        period = p.period(entity.no, v["invoiced_on"])[1]
        _rerate(p, tid, rate, DIGITS[entity.currency], postingperiod=period)
        for row in p.rows(LINE, "transaction", str(tid)):
            p.edits.change(LINE, row["uniquekey"], subsidiary=str(entity.no))
        p.note("INV-ENTITY", TRANSACTION, str(tid), v, amount=v["total"], day=v["invoiced_on"], related=in_)


def invoice_period(p: Planter) -> None:
    """INV-PERIOD: the ERP invoice is posted in the period after the one its date lies in."""
    early = pl.col("invoiced_on") < pl.lit(p.world.horizon.cut - timedelta(days=80))
    for v in p.pick("INV-PERIOD", p.block.invoices, (pl.col("plan") == SINGLE) & early):
        tid, in_ = invoice_ref(v)
        right = int(p.period(v["entity"], v["invoiced_on"])[1])
        p.edits.change(TRANSACTION, str(tid), postingperiod=str(right + 1))
        related = None if v["is_wire"] else in_
        p.note("INV-PERIOD", TRANSACTION, str(tid), v, amount=v["total"], day=v["invoiced_on"], related=related)


def invoice_duplicate(p: Planter) -> None:
    """INV-DUP: the ERP has the invoice twice; the copy has the same number with a suffix and stays open."""
    for v in p.pick("INV-DUP", p.block.invoices, pl.col("plan") == SINGLE):
        tid, new = v["inv"] * 32, spare_tid(v["inv"], 1)
        p.copy_document(tid, new, lambda row: row.update(tranid=row["tranid"] + "-A"))
        p.note("INV-DUP", TRANSACTION, str(new), v, amount=v["total"], day=v["invoiced_on"], related=str(tid))


def invoice_void_open(p: Planter) -> None:
    """INV-VOID-OPEN: void in Stripe, but the ERP has no reversal and the invoice is still open there."""
    for v in p.pick("INV-VOID-OPEN", p.block.invoices, CARD & pl.col("void_on").is_not_null()):
        tid, in_ = invoice_ref(v)
        p.remove_document(v["inv"] * 32 + 1 + 2)
        p.edits.change(TRANSACTION, str(tid), status="CustInvc:A", voided="F", reversal=None, reversaldate=None)
        p.note("INV-VOID-OPEN", TRANSACTION, str(tid), v, amount=v["total"], day=v["void_on"], related=in_)


def paid(p: Planter, code: str, *conditions: pl.Expr) -> list[Row]:
    """Return victims among payments of one whole invoice each."""
    whole = (pl.col("plan") == SINGLE) & (pl.col("invoices") == 1)
    return p.pick(code, p.block.payments, pl.all_horizontal(whole, *conditions))


def payment_missing(p: Planter) -> None:
    """PAY-MISSING: a Stripe charge the ERP has no payment for; its invoice is still open there."""
    for v in paid(p, "PAY-MISSING", CARD):
        tid = int(v["pay"]) // 4 * 32 + ids.PAYMENT_CODE
        p.remove_document(tid)
        p.edits.change(TRANSACTION, str(v["inv"] * 32), status="CustInvc:A")
        p.note("PAY-MISSING", "stripe/charge", stripe_id("ch", v["pay"]), v, amount=v["amount"], day=v["paid_on"])


def payment_duplicate(p: Planter) -> None:
    """PAY-DUP: the ERP has the payment twice; the copy is applied to nothing."""
    for v in paid(p, "PAY-DUP", pl.col("ccy") == pl.col("func")):
        tid, new = v["pay"] // 4 * 32 + ids.PAYMENT_CODE, spare_tid(v["inv"], 2)
        p.copy_document(tid, new, lambda row: row.update(tranid=row["tranid"] + "-2"))
        p.note("PAY-DUP", TRANSACTION, str(new), v, amount=v["amount"], day=v["paid_on"], related=str(tid))


def payment_unapplied(p: Planter) -> None:
    """PAY-UNAPPLIED: the ERP has the payment but did not apply it; the invoice is open, the cash unapplied."""
    for v in paid(p, "PAY-UNAPPLIED", pl.col("ccy") == pl.col("func")):
        tid, invoice = v["pay"] // 4 * 32 + ids.PAYMENT_CODE, v["inv"] * 32
        p.edits.drop(LINK, f"{invoice}|{tid}")
        p.edits.change(TRANSACTION, str(invoice), status="CustInvc:A")
        p.note("PAY-UNAPPLIED", TRANSACTION, str(tid), v, amount=v["amount"], day=v["paid_on"], related=str(invoice))


def _misrecorded(p: Planter, code: str, v: Row, more: int) -> None:
    """Record a card payment in the ERP with another amount (``more`` may be negative); too much stays unapplied."""
    tid, invoice = v["pay"] // 4 * 32 + ids.PAYMENT_CODE, v["inv"] * 32
    p.shift_document(tid, 1, -more, v)
    if more < 0:
        delta = Decimal(more).scaleb(-DIGITS[v["ccy"]])
        p.edits.alter(
            LINK, f"{invoice}|{tid}", lambda row: row.update(foreignamount=shifted(row["foreignamount"], delta))
        )
        p.edits.change(TRANSACTION, str(invoice), status="CustInvc:A")
    p.note(code, TRANSACTION, str(tid), v, amount=abs(more), day=v["paid_on"], related=stripe_id("ch", v["pay"]))


def payment_short(p: Planter) -> None:
    """PAY-SHORT: the ERP payment is smaller than the charge; the rest of the invoice stays open."""
    for v in paid(p, "PAY-SHORT", CARD):
        _misrecorded(p, "PAY-SHORT", v, -(v["amount"] // 13 + 1))


def payment_over(p: Planter) -> None:
    """PAY-OVER: the ERP payment is larger than the charge; the excess is unapplied."""
    for v in paid(p, "PAY-OVER", CARD):
        _misrecorded(p, "PAY-OVER", v, v["amount"] // 11 + 1)


def payment_fee(p: Planter) -> None:
    """PAY-FEE: the ERP payment was booked net of the processor's fee."""
    for v in paid(p, "PAY-FEE", CARD):
        _misrecorded(p, "PAY-FEE", v, -v["fee"])


def refund_unlinked(p: Planter) -> None:
    """REF-UNLINKED: the ERP refund is not linked to the credit memo it pays back."""
    for v in p.pick("REF-UNLINKED", p.block.refunds, CARD & (pl.col("source") == "credit")):
        tid, credit = v["rf"] // 4 * 32 + ids.REFUND_CODE, v["inv"] * 32 + 1 + POST
        p.edits.drop(LINK, f"{credit}|{tid}")
        p.note("REF-UNLINKED", TRANSACTION, str(tid), v, amount=v["amount"], day=v["refunded_on"], related=str(credit))


def dispute_open(p: Planter) -> None:
    """DSP-OPEN: a dispute that Stripe still shows as waiting for a response; its money is gone."""
    for v in p.pick("DSP-OPEN", p.block.disputes, ~pl.col("is_won")):
        dp = stripe_id("dp", v["pay"])
        p.edits.change("stripe/dispute.jsonl", dp, status="needs_response")
        p.note("DSP-OPEN", "stripe/dispute", dp, v, amount=v["amount"], day=v["opened_on"])


def fx_rate(p: Planter) -> None:
    """FX-RATE: an open foreign invoice was translated at five percent above the day's rate."""
    foreign = pl.col("ccy") != pl.col("func")
    for v in p.pick("FX-RATE", p.block.invoices, OPEN & foreign):
        tid = v["inv"] * 32
        _rerate(p, tid, v["rate"] * 105 // 100, DIGITS[v["func"]])
        p.note("FX-RATE", TRANSACTION, str(tid), v, amount=v["total"], day=v["invoiced_on"])


def revenue_without_dates(p: Planter) -> None:
    """REV-NO-DATES: a deferred ERP invoice line without service dates."""
    recurring = (pl.col("charge") == "R") & pl.col("void_on").is_null() & (pl.col("position") == 0)
    for v in p.pick("REV-NO-DATES", p.block.invoice_lines, recurring):
        key = str(v["inv"] * 32 * 64 + 1)
        p.edits.change(LINE, key, custcol_service_start=None, custcol_service_end=None)
        p.note("REV-NO-DATES", LINE, key, v, amount=v["net"], day=v["invoiced_on"], related=str(v["inv"] * 32))


def entity_unrouted(p: Planter) -> None:
    """ENT-UNROUTED: a Stripe invoice that names a legal entity nobody knows."""
    for v in p.pick("ENT-UNROUTED", p.block.invoices, CARD & (pl.col("plan") == SINGLE)):
        _, in_ = invoice_ref(v)

        def alter(row: Row) -> None:
            row["metadata"] = row["metadata"] | {"legal_entity": "9"}

        p.edits.alter("stripe/invoice.jsonl", in_, alter)
        p.note("ENT-UNROUTED", "stripe/invoice", in_, v, amount=v["total"], day=v["invoiced_on"])


def product_unmapped(p: Planter) -> None:
    """PRD-UNMAPPED: an ERP invoice line for an item (901) that no other system knows."""
    for v in p.pick("PRD-UNMAPPED", p.block.invoice_lines, (pl.col("position") == 0) & pl.col("void_on").is_null()):
        key = str(v["inv"] * 32 * 64 + 1)
        p.edits.change(LINE, key, item="901")
        p.note("PRD-UNMAPPED", LINE, key, v, amount=v["net"], day=v["invoiced_on"], related=str(v["inv"] * 32))


def orphan_line(p: Planter) -> None:
    """DQ-RULE: an ERP transaction line whose transaction does not exist."""
    for v in p.pick("DQ-RULE line", p.block.invoices, pl.col("plan") == SINGLE):
        ghost = spare_tid(v["inv"], 3)
        row = p.rows(LINE, "uniquekey", str(v["inv"] * 32 * 64 + 1))[0]
        row.update(transaction=str(ghost), uniquekey=str(ghost * 64 + 1))
        p.edits.add(LINE, row)
        p.note("DQ-RULE", LINE, row["uniquekey"], v, amount=v["net"], day=v["invoiced_on"])
