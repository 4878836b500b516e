"""Stripe's shape: native objects as JSON lines, payouts as one list page.

Invoices issued before 2025-03-31 have the old form (invoice.charge, charge.invoice, line.price, tax), later ones
the new form (InvoicePayment, line.pricing, total_taxes). An invoice embeds at most ten lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from . import company as co
from .books import Books, Credit, Dispute, Invoice, Line, Movement, Payment, Payout, Refund, on_stripe
from .crm_ids import salesforce_id
from .files import json_text, jsonl_text
from .ledger import Ledger
from .money import add_months, epoch, minor
from .write_netsuite import CUSTOMER_ID, ITEM_ID

Object = dict[str, Any]
EMBEDDED_LINES = 10


def stripe_files(books: Books, ledger: Ledger) -> dict[str, str]:
    invoices = [i for i in books.invoices.values() if on_stripe(i.customer)]
    charges = [p for p in books.payments if on_stripe(p.customer)]
    credits_ = [c for c in books.credits if on_stripe(c.invoice.customer)]
    overflow = [line for i in invoices for line in line_items(i)[EMBEDDED_LINES:]]
    found = [payout(p, books) for p in books.payouts]
    payouts = {"object": "list", "url": "/v1/payouts", "has_more": False, "data": found}
    return {
        "customer.jsonl": jsonl_text(customers()),
        "product.jsonl": jsonl_text(products()),
        "price.jsonl": jsonl_text(prices(invoices)),
        "subscription.jsonl": jsonl_text(subscription(d) for d in subscribed()),
        "invoice.jsonl": jsonl_text(invoice(i, books, ledger) for i in invoices),
        "invoice_line_item.jsonl": jsonl_text(overflow),
        "invoice_payment.jsonl": jsonl_text(invoice_payments(charges, books)),
        "payment_intent.jsonl": jsonl_text(payment_intents(charges)),
        "charge.jsonl": jsonl_text(charge(p, books) for p in charges),
        "refund.jsonl": jsonl_text(refund(r, books) for r in books.refunds),
        "dispute.jsonl": jsonl_text(dispute(d, books) for d in books.disputes),
        "credit_note.jsonl": jsonl_text(credit_note(c, books) for c in credits_),
        "balance_transaction.jsonl": jsonl_text(balance_transaction(m) for m in books.movements),
        "payout.json": json_text(payouts),
    }


# ── catalogue ─────────────────────────────────────────────────────────────────────────────────────────────────────


def customers() -> Iterator[Object]:
    for c in (c for c in co.CUSTOMERS if on_stripe(c)):
        yield {"id": f"cus_{c.key}", "object": "customer", "name": c.name, "email": f"billing@{c.domain}",
               "currency": c.currency.lower(), "address": {"country": c.country}, "created": epoch(c.since),
               "metadata": {"crm_account_id": salesforce_id("001", c.key),
                            "erp_customer_id": str(CUSTOMER_ID[c.key])}}  # fmt: skip
    yield {"id": "cus_DUP", "object": "customer", "deleted": True}


def products() -> Iterator[Object]:
    for p in co.PRODUCTS:
        yield {"id": f"prod_{p.key}", "object": "product", "name": p.name, "active": True, "created": epoch(co.FIRST),
               "metadata": {"crm_product_id": salesforce_id("01t", p.key),
                            "erp_item_id": str(ITEM_ID[p.key])}}  # fmt: skip


def months_of(i: Invoice, line: Line) -> int:
    return (co.DEAL[i.deal].every or 1) if line.start else 0


def price_id(i: Invoice, line: Line) -> str:
    return f"price_{line.product}_{i.currency}_{months_of(i, line)}m_{line.unit}"


def prices(invoices: list[Invoice]) -> list[Object]:
    found: dict[str, Object] = {}
    for i in invoices:
        for line in i.lines:
            months, id_ = months_of(i, line), price_id(i, line)
            interval = {"interval": "year", "interval_count": 1} if months == 12 else {
                "interval": "month", "interval_count": months}  # fmt: skip
            found.setdefault(id_, {
                "id": id_, "object": "price", "product": f"prod_{line.product}", "currency": i.currency.lower(),
                "active": True, "unit_amount": line.unit, "unit_amount_decimal": str(line.unit),
                "type": "recurring" if months else "one_time", "recurring": interval if months else None,
                "created": epoch(i.issued),
            })  # fmt: skip
    return list(found.values())


def subscribed() -> list[co.Deal]:
    return [d for d in co.DEALS if d.ordered and d.every and on_stripe(co.CUSTOMER[d.customer])]


def subscription(d: co.Deal) -> Object:
    currency, id_ = co.CUSTOMER[d.customer].currency, f"sub_{d.key}"
    end = add_months(d.start, d.term)
    ended = end <= co.LAST
    items = [
        {
            "id": f"si_{d.key}_{n}",
            "object": "subscription_item",
            "subscription": id_,
            "quantity": item.quantity,
            "price": {
                "id": f"price_{item.product}_{currency}_{d.every}m_{minor(item.price, currency) * d.every}",
                "product": f"prod_{item.product}",
            },
        }
        for n, item in enumerate(recurring_items(d), 1)
    ]
    return {
        "id": id_, "object": "subscription", "customer": f"cus_{d.customer}", "currency": currency.lower(),
        "status": "canceled" if ended else "active", "created": epoch(d.start), "start_date": epoch(d.start),
        "cancel_at": epoch(end), "ended_at": epoch(end) if ended else None,
        "items": {"object": "list", "data": items, "has_more": False, "total_count": len(items)},
        "metadata": {"opportunity_id": salesforce_id("006", d.key)},
    }  # fmt: skip


def recurring_items(d: co.Deal) -> list[co.Item]:
    return [i for i in d.items if co.PRODUCT[i.product].recurring and not i.deleted]


# ── invoices ──────────────────────────────────────────────────────────────────────────────────────────────────────


def is_new(on: date) -> bool:
    return on >= co.NEW_STRIPE_API


def charges_of(books: Books, key: str) -> list[Payment]:
    return [p for p in books.payments if any(k == key for k, _ in p.applied)]


def line_items(i: Invoice) -> list[Object]:
    return [line_item(i, n, line) for n, line in enumerate(i.lines, 1)]


def line_item(i: Invoice, n: int, line: Line) -> Object:
    start = line.start or i.issued
    end = line.end + timedelta(days=1) if line.end else start  # Stripe ends a period where the next one starts
    common = {
        "id": f"il_{i.id[3:]}_{n:02d}", "object": "line_item", "invoice": i.id, "amount": line.gross,
        "currency": i.currency.lower(), "description": line.note or co.PRODUCT[line.product].name,
        "quantity": line.quantity, "period": {"start": epoch(start, 0), "end": epoch(end, 0)},
        "discount_amounts": [{"amount": line.discount, "discount": f"di_{i.deal}"}] if line.discount else [],
    }  # fmt: skip
    product = {"price": price_id(i, line), "product": f"prod_{line.product}"}
    item = subscription_item(i, line)
    if is_new(i.issued):
        parent = {"type": "subscription_item_details", "subscription_item_details": {
            "subscription": f"sub_{i.deal}", "subscription_item": item, "proration": False}}  # fmt: skip
        taxes = [{"amount": line.tax, "tax_behavior": "exclusive", "taxable_amount": line.net}] if line.tax else []
        return common | {"pricing": {"type": "price_details", "price_details": product}, "taxes": taxes,
                         "parent": parent if item else None}  # fmt: skip
    return common | {
        "price": {"id": product["price"], "product": product["product"]}, "proration": False,
        "tax_amounts": [{"amount": line.tax, "inclusive": False}] if line.tax else [],
        "subscription": f"sub_{i.deal}" if item else None, "subscription_item": item,
    }  # fmt: skip


def subscription_item(i: Invoice, line: Line) -> str | None:
    for n, item in enumerate(recurring_items(co.DEAL[i.deal]) if line.start else [], 1):
        if (item.product, item.quantity) == (line.product, line.quantity):
            return f"si_{i.deal}_{n}"
    return None


def invoice(i: Invoice, books: Books, ledger: Ledger) -> Object:
    tries = charges_of(books, i.key)
    done = [p for p in tries if p.status == "succeeded"]
    paid = sum(p.amount for p in done)
    before, after = (credited(i, books, use) for use in ("applied", "refunded"))
    rest = 0 if i.state == "void" else i.total - paid - before
    settled = i.state == "posted" and rest == 0
    lines, erp = line_items(i), ledger.by_key.get(i.key)
    finalized = None if i.state == "draft" else epoch(i.issued)
    document = {
        "id": i.id, "object": "invoice", "number": i.number or None,
        "status": "paid" if settled else {"posted": "open"}.get(i.state, i.state), "currency": i.currency.lower(),
        "customer": f"cus_{i.customer.key}", "created": epoch(i.issued), "due_date": epoch(i.due),
        "status_transitions": {
            "finalized_at": finalized, "paid_at": epoch(done[-1].on) if settled else None,
            "voided_at": epoch(i.voided) if i.voided else None, "marked_uncollectible_at": None},
        "subtotal": sum(line.gross for line in i.lines), "total_excluding_tax": i.net, "total": i.total,
        "total_discount_amounts": [{"amount": sum(x.discount for x in i.lines), "discount": f"di_{i.deal}"}]
        if any(x.discount for x in i.lines) else [],
        "amount_due": i.total - before, "amount_paid": paid, "amount_remaining": rest,
        "pre_payment_credit_notes_amount": before, "post_payment_credit_notes_amount": after,
        "starting_balance": 0, "ending_balance": 0, "attempted": bool(tries), "attempt_count": len(tries),
        "metadata": {"legal_entity": str(co.ENTITY_OF_CURRENCY[i.currency].number),
                     "opportunity_id": salesforce_id("006", i.deal)} | ({"erp_invoice_id": str(erp.id)} if erp else {}),
    }  # fmt: skip
    document |= new_form(i) if is_new(i.issued) else old_form(i, done)
    return document | {"lines": {
        "object": "list", "data": lines[:EMBEDDED_LINES], "has_more": len(lines) > EMBEDDED_LINES,
        "total_count": len(lines), "url": f"/v1/invoices/{i.id}/lines"}}  # fmt: skip


def credited(i: Invoice, books: Books, use: str) -> int:
    return sum(c.total for c in books.credits if c.invoice is i and c.use == use)


def old_form(i: Invoice, done: list[Payment]) -> Object:
    last = done[-1].id if done else None
    return {"tax": i.tax or None, "charge": last, "payment_intent": intent_id(last) if last else None,
            "subscription": f"sub_{i.deal}" if co.DEAL[i.deal].every else None}  # fmt: skip


def new_form(i: Invoice) -> Object:
    taxes = [{"amount": i.tax, "tax_behavior": "exclusive", "taxable_amount": i.net}] if i.tax else []
    return {"total_taxes": taxes, "parent": {"type": "subscription_details",
                                             "subscription_details": {"subscription": f"sub_{i.deal}"}}}  # fmt: skip


def invoice_payments(charges: list[Payment], books: Books) -> Iterator[Object]:
    """New form only: the link between an invoice and a payment intent."""
    number = 0
    for p in charges:
        for key, amount in p.applied:
            i = books.invoices[key]
            if not is_new(i.issued):
                continue
            number += 1
            yield {"id": f"inpay_{number:04d}", "object": "invoice_payment", "invoice": i.id, "amount_paid": amount,
                   "amount_requested": amount, "currency": i.currency.lower(), "is_default": True, "status": "paid",
                   "created": epoch(p.on), "payment": {"type": "payment_intent", "payment_intent": intent_id(p.id)},
                   "status_transitions": {"paid_at": epoch(p.on), "canceled_at": None}}  # fmt: skip


# ── money ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def intent_id(charge_id: str) -> str:
    """An intent carries its succeeded charge's number; NOR1-06 fails and retries within one intent."""
    return f"pi_{charge_id[3:]}"


def intents(charges: list[Payment]) -> dict[str, list[Payment]]:
    """Charges by payment intent: a failed attempt shares the intent of the success that follows."""
    found: dict[str, list[Payment]] = {}
    waiting: dict[str, Payment] = {}
    for p in charges:
        key = p.key.split("/")[0]
        if p.status == "failed":
            waiting[key] = p
        else:
            found[intent_id(p.id)] = [p] if key not in waiting else [waiting.pop(key), p]
    return found


def payment_intents(charges: list[Payment]) -> Iterator[Object]:
    for id_, tries in intents(charges).items():
        last = tries[-1]
        yield {"id": id_, "object": "payment_intent", "amount": last.amount, "amount_received": last.amount,
               "currency": last.currency.lower(), "customer": f"cus_{last.customer.key}", "status": "succeeded",
               "latest_charge": last.id, "created": epoch(tries[0].on, 8), "metadata": {}}  # fmt: skip


def intent_of(p: Payment, books: Books) -> str:
    charges = [c for c in books.payments if on_stripe(c.customer)]
    return next(id_ for id_, tries in intents(charges).items() if p in tries)


def movement_of(source: object, books: Books, kind: str | None = None) -> Movement | None:
    return next((m for m in books.movements if m.source is source and kind in (None, m.kind)), None)


def charge(p: Payment, books: Books) -> Object:
    good = p.status == "succeeded"
    moved = movement_of(p, books)
    i = books.invoices[p.applied[0][0]] if p.applied else None
    document = {
        "id": p.id, "object": "charge", "amount": p.amount, "amount_captured": p.amount if good else 0,
        "amount_refunded": p.refunded, "currency": p.currency.lower(), "customer": f"cus_{p.customer.key}",
        "payment_intent": intent_of(p, books), "balance_transaction": moved.id if moved else None,
        "status": p.status, "paid": good, "captured": good, "refunded": p.refunded == p.amount,
        "disputed": p.disputed, "failure_code": None if good else "card_declined", "created": epoch(p.on),
        "metadata": {},
    }  # fmt: skip
    return document if is_new(p.on) else document | {"invoice": i.id if i else None}


def refund(r: Refund, books: Books) -> Object:
    moved = movement_of(r, books)
    return {
        "id": r.id, "object": "refund", "amount": r.amount, "charge": r.charge.id,
        "payment_intent": intent_of(r.charge, books), "currency": r.charge.currency.lower(), "status": "succeeded",
        "balance_transaction": moved.id if moved else None, "failure_balance_transaction": None,
        "created": epoch(r.on), "reason": "requested_by_customer" if r.credit else "duplicate",
    }  # fmt: skip


def dispute(d: Dispute, books: Books) -> Object:
    moved = [
        {"id": m.id, "amount": m.amount, "fee": m.fee, "net": m.net, "reporting_category": m.category}
        for m in books.movements
        if m.source is d
    ]
    return {
        "id": d.id, "object": "dispute", "amount": d.charge.amount, "charge": d.charge.id,
        "currency": d.charge.currency.lower(), "status": d.outcome, "reason": "product_not_received",
        "balance_transactions": moved, "created": epoch(d.opened),
    }  # fmt: skip


def credit_note(c: Credit, books: Books) -> Object:
    before = c.use == "applied"
    sent = next((r.id for r in books.refunds if r.credit is c), None)
    line = {
        "id": f"cnli_{c.id[3:]}_01", "object": "credit_note_line_item", "amount": c.line.gross, "quantity": 1,
        "description": c.line.note, "discount_amount": 0, "type": "invoice_line_item",
        "invoice_line_item": f"il_{c.invoice.id[3:]}_{credited_line(c):02d}",
        "tax_amounts": [{"amount": c.line.tax, "inclusive": False}] if c.line.tax else [],
    }  # fmt: skip
    return {
        "id": c.id, "object": "credit_note", "number": f"{c.invoice.number}-CN-01", "invoice": c.invoice.id,
        "customer": f"cus_{c.invoice.customer.key}", "currency": c.invoice.currency.lower(), "amount": c.total,
        "total": c.total, "subtotal": c.line.gross, "total_excluding_tax": c.line.net,
        "type": "pre_payment" if before else "post_payment", "status": "issued", "refund": sent,
        "pre_payment_amount": c.total if before else 0, "post_payment_amount": 0 if before else c.total,
        "customer_balance_transaction": None, "created": epoch(c.on), "voided_at": None,
        "lines": {"object": "list", "data": [line], "has_more": False, "total_count": 1},
    }  # fmt: skip


def credited_line(c: Credit) -> int:
    return 1 + [line.product for line in c.invoice.lines].index(c.line.product)


def balance_transaction(m: Movement) -> Object:
    arrived = m.payout is not None or m.kind == "payout"
    return {
        "id": m.id, "object": "balance_transaction", "type": m.kind, "reporting_category": m.category,
        "amount": m.amount, "fee": m.fee, "net": m.net, "currency": m.currency.lower(), "exchange_rate": None,
        "source": m.source.id, "created": epoch(m.on), "available_on": epoch(m.on, 12),
        "status": "available" if arrived else "pending", "payout": m.payout.id if m.payout else None,
    }  # fmt: skip


def payout(p: Payout, books: Books) -> Object:
    out, back = movement_of(p, books, "payout"), movement_of(p, books, "payout_failure")
    return {
        "id": p.id, "object": "payout", "amount": p.amount, "currency": p.currency.lower(),
        "arrival_date": epoch(p.arrival, 0), "created": epoch(p.created), "status": p.status, "automatic": True,
        "balance_transaction": out.id if out else None, "failure_balance_transaction": back.id if back else None,
        "failure_code": "account_closed" if back else None, "statement_descriptor": "QUILLMARK",
        "trace_id": {"status": "supported", "value": p.trace} if p.status == "paid" else {
            "status": "pending", "value": None}, "metadata": {},
    }  # fmt: skip
