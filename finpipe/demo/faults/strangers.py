"""Faults in whom a document names: the ERP shows it with another customer of the same entity and currency.

Belongs here: one function per kind of document. Does not: mechanics (``plan``), faults in figures (``documents``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.cash import POST
from finpipe.demo.faults.documents import CARD, paid
from finpipe.demo.faults.edits import LINE, TRANSACTION, Row
from finpipe.demo.faults.masters import order_id, orders
from finpipe.demo.faults.plan import Planter, invoice_ref, salesforce_id, stripe_id


def payment_of_another(p: Planter) -> None:
    """PAY-WRONG-CUST: the ERP payment names another customer than the invoice it pays."""
    for v in paid(p, "PAY-WRONG-CUST", CARD):
        charge = stripe_id("ch", v["pay"])
        _name_another(p, "PAY-WRONG-CUST", v, v["pay"] // 4 * 32 + ids.PAYMENT_CODE, v["amount"], v["paid_on"], charge)


def invoice_of_another(p: Planter) -> None:
    """INV-WRONG-CUST: an ERP invoice, paid or open, names another customer than Stripe's."""
    for v in p.pick("INV-WRONG-CUST", p.block.invoices, CARD & pl.col("void_on").is_null()):
        tid, in_ = invoice_ref(v)
        _name_another(p, "INV-WRONG-CUST", v, tid, v["total"], v["invoiced_on"], in_)


def credit_of_another(p: Planter) -> None:
    """INV-WRONG-CUST: an ERP credit memo names another customer than Stripe's credit note."""
    for v in p.pick("INV-WRONG-CUST credit", p.block.credits, CARD & (pl.col("kind") == POST)):
        tid, note = v["inv"] * 32 + 1 + POST, stripe_id("cn", v["cn"])
        _name_another(p, "INV-WRONG-CUST", v, tid, v["total"], v["dated_on"], note)


def order_of_another(p: Planter) -> None:
    """ORD-TERMS: the ERP order names another customer than the opportunity."""
    for v in orders(p, "ORD-TERMS order", pl.lit(value=True)):
        _name_another(p, "ORD-TERMS", v, order_id(v), 0, v["signed_on"], salesforce_id("006", v["deal"]))


def _name_another(p: Planter, code: str, v: Row, tid: int, amount: int, day: object, related: str) -> None:
    """Write another customer on an ERP document and its lines; nothing is planted where there is no other."""
    others = p.block.accounts.filter(
        (pl.col("role") == 1)
        & (pl.col("entity") == v["entity"])
        & (pl.col("c") != v["c"])
        & (pl.col("ccy") == v["ccy"])
    )
    if others.is_empty():
        return
    wrong = str(others["c"][v["c"] % others.height] + 5000)
    p.edits.change(TRANSACTION, str(tid), entity=wrong)
    for row in p.rows(LINE, "transaction", str(tid)):
        p.edits.change(LINE, row["uniquekey"], entity=wrong)
    p.note(code, TRANSACTION, str(tid), v, amount=amount, day=day, related=related)
