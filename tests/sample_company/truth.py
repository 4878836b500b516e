"""The totals that must come out of the sample, from the maker's own books and never from the files.

Amounts are strings in the currency named beside them. Left out on purpose: rows that the gate must refuse.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from . import company as co
from .books import Books, on_stripe
from .crm_ids import numbered_id, salesforce_id
from .ledger import ACCOUNTS, Document, Ledger, contract_value, open_functional, standing
from .money import add_months, minor, month_end, quarter, text
from .write_bank import ACCOUNT, REFUSED_AMOUNT, REFUSED_DATE, statement_entries
from .write_netsuite import ORPHAN_LINE
from .write_salesforce import REFUSED

T = TypeVar("T")
Nested = dict[str, Any]
Fact = tuple[date, str, str, int]  # day, currency, measure, minor units


def expected(books: Books, ledger: Ledger, files: dict[str, str]) -> Nested:
    return {
        "period": {"from": str(co.FIRST), "to": str(co.LAST), "quarters": 6},
        "bookings": by_quarter(booking_facts()),
        "billings": {
            "stripe": by_quarter(stripe_billing_facts(books)),
            "erp": by_quarter(erp_billing_facts(ledger)),
        },
        "collections": {
            "stripe": by_quarter(stripe_cash_facts(books)),
            "erp": by_quarter(erp_cash_facts(ledger)),
            "bank": by_quarter(bank_facts(books)),
        },
        "ar": receivables(ledger),
        "ar_control": control_account(ledger),
        "trial_balance": trial_balance(ledger),
        "payouts": payouts(books),
        "bank_closing_balance": closing_balances(books),
        "stripe_balance_not_paid_out": unpaid_balance(books),
        "differences": differences(books, ledger),
        "refused": refused(),
        "rows": {name: count_rows(name, body) for name, body in sorted(files.items())},
        "tables": tables(files),
    }


def by_quarter(facts: Iterable[Fact]) -> Nested:
    """{quarter: {currency: {measure: amount}}}"""
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for on, currency, measure, amount in facts:
        sums[quarter(on), currency][measure] += amount
    found: Nested = {}
    for (q, currency), measures in sorted(sums.items()):
        found.setdefault(q, {})[currency] = {m: text(a, currency) for m, a in sorted(measures.items())}
    return found


# ── facts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def booking_facts() -> Iterable[Fact]:
    """TCV of the lines of won, undeleted opportunities, by countersignature else close date."""
    for d in co.DEALS:
        if d.stage == "Closed Won" and not d.deleted:
            for i in (i for i in d.items if not i.deleted):
                kind = "recurring" if co.PRODUCT[i.product].recurring else "one_time"
                amount, currency = contract_value(d, i), co.CUSTOMER[d.customer].currency
                yield d.signed or d.closed, currency, kind, amount
                yield d.signed or d.closed, currency, "tcv", amount


def billing_facts(on: date, currency: str, sign: int, amounts: tuple[int, int, int]) -> Iterable[Fact]:
    """Gross, discount and tax of an invoice (+) or credit (-)."""
    gross, discount, tax = amounts
    yield on, currency, "invoiced" if sign > 0 else "credited", sign * (gross - discount)
    yield on, currency, "discount", sign * discount
    yield on, currency, "tax", sign * tax
    yield on, currency, "net", sign * (gross - discount)


def stripe_billing_facts(books: Books) -> Iterable[Fact]:
    """Finalised and not voided, less credit notes; direct customers are not in Stripe."""
    for i in books.invoices.values():
        if on_stripe(i.customer) and i.state == "posted":
            amounts = sum(x.gross for x in i.lines), sum(x.discount for x in i.lines), i.tax
            yield from billing_facts(i.issued, i.currency, 1, amounts)
    for c in books.credits:
        if on_stripe(c.invoice.customer):
            yield from billing_facts(c.on, c.invoice.currency, -1, (c.line.gross, c.line.discount, c.line.tax))


def erp_billing_facts(ledger: Ledger) -> Iterable[Fact]:
    """Posted invoices less credit memos, from document lines; voided ones are zero, deleted ones gone."""
    for d in standing(ledger):
        if d.type in ("CustInvc", "CustCred"):
            discount = sum(p.foreign for p in d.postings if p.kind == "Discount")
            tax = -sum(p.foreign for p in d.postings if p.kind == "TaxItem")
            gross = -sum(p.foreign for p in d.postings if p.kind in ("Service", "NonInvtPart"))
            sign = 1 if d.type == "CustInvc" else -1
            yield from billing_facts(d.on, d.currency, sign, (sign * gross, sign * discount, sign * tax))


def stripe_cash_facts(books: Books) -> Iterable[Fact]:
    """Balance movements: gross by what they are, fees, and what arrived at the bank."""
    names = {"charge": "charged", "refund": "refunded", "dispute": "disputed", "dispute_reversal": "disputed"}
    for m in books.movements:
        if m.category in names:
            yield m.on, m.currency, names[m.category], m.amount
            yield m.on, m.currency, "fees", m.fee
            yield m.on, m.currency, "net", m.net
    for p in books.payouts:
        if p.status == "paid":
            yield p.arrival, p.currency, "paid_out", p.amount


def erp_cash_facts(ledger: Ledger) -> Iterable[Fact]:
    """Payments by document date; applied to invoices, refunded or unapplied as at the end of the story."""
    for d in standing(ledger):
        if d.type == "CustPymt":
            out = [link for link in ledger.links if d in (link.previous, link.next)]
            applied = sum(k.amount for k in out if k.next is d)
            back = sum(k.amount for k in out if k.previous is d)
            yield d.on, d.currency, "received", -d.total
            yield d.on, d.currency, "applied", applied
            yield d.on, d.currency, "refunded", back
            yield d.on, d.currency, "unapplied", -d.total - applied - back
        if d.type == "CustRfnd":
            yield d.on, d.currency, "refunds_sent", d.total


def bank_facts(books: Books) -> Iterable[Fact]:
    for e in statement_entries(books):
        measure = "payouts" if e.payout else "wires" if e.amount > 0 else "charges"
        yield e.on, e.currency, measure, e.amount


# ── ledger ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ends() -> list[date]:
    return [month_end(add_months(co.FIRST, k)) for k in range(co.month_number(co.LAST) + 1)]


def receivables(ledger: Ledger) -> list[Nested]:
    """Open documents per entity, currency and month end, in transaction and functional currency."""
    found = []
    for upto in ends():
        for currency in co.CURRENCIES:
            documents = [d for d in standing(ledger) if d.currency == currency and d.on <= upto and is_trade(d)]
            found.append(open_row(ledger, upto, currency, documents))
    return found


def is_trade(d: Document) -> bool:
    return d.type in ("CustInvc", "CustCred", "CustPymt", "CustRfnd")


def open_row(ledger: Ledger, upto: date, currency: str, documents: list[Document]) -> Nested:
    def left(types: tuple[str, ...]) -> int:
        chosen = (d for d in documents if d.type in types)
        return sum((1 if d.total > 0 else -1) * (abs(d.total) - ledger.applied(d, upto)) for d in chosen)

    entity = co.ENTITY_OF_CURRENCY[currency]
    value = sum(open_functional(ledger, d, upto) for d in documents)
    return {
        "on": str(upto), "entity": entity.number, "currency": currency,
        "open_invoices": text(left(("CustInvc",)), currency),
        "unapplied_payments": text(left(("CustPymt", "CustRfnd")), currency),
        "unapplied_credits": text(left(("CustCred",)), currency),
        "net": text(left(("CustInvc", "CustCred", "CustPymt", "CustRfnd")), currency),
        "functional_currency": entity.functional, "net_functional": text(value, entity.functional),
    }  # fmt: skip


def control_account(ledger: Ledger) -> list[Nested]:
    """The receivable account per entity and month end, from the general ledger."""
    return [
        {"on": str(upto), "entity": e.number, "currency": e.functional,
         "balance": text(account_balance(ledger, e, "receivable", upto), e.functional)}
        for upto in ends() for e in (co.US, co.UK)
    ]  # fmt: skip


def account_balance(ledger: Ledger, entity: co.Entity, account: str, upto: date = co.LAST) -> int:
    return sum(d.on_account(account) for d in standing(ledger) if d.entity is entity and d.on <= upto)


def trial_balance(ledger: Ledger) -> list[Nested]:
    """Debit positive, per entity and account at the end; sums to zero per entity."""
    found = []
    for e in (co.US, co.UK):
        for key, (id_, number, name, _) in ACCOUNTS.items():
            balance = account_balance(ledger, e, key)
            if any(p.account == key for d in standing(ledger) if d.entity is e for p in d.postings):
                found.append({"entity": e.number, "account": str(id_), "number": number, "name": name,
                              "currency": e.functional, "balance": text(balance, e.functional)})  # fmt: skip
    return found


# ── processor and bank ────────────────────────────────────────────────────────────────────────────────────────────


def payouts(books: Books) -> list[Nested]:
    lines = {e.payout: e for e in statement_entries(books) if e.payout}
    return [
        {"id": p.id, "currency": p.currency, "created": str(p.created), "arrival": str(p.arrival), "status": p.status,
         "amount": text(p.amount, p.currency), "parts": len(p.parts),
         "bank_reference": lines[p.id].reference if p.id in lines else None}
        for p in books.payouts
    ]  # fmt: skip


def closing_balances(books: Books) -> Nested:
    balance = {c: minor(a, c) for c, a in co.OPENING_BALANCE.items()} | {
        e.currency: e.balance for e in statement_entries(books)
    }
    return {ACCOUNT[c]: {"currency": c, "balance": text(b, c)} for c, b in balance.items()}


def unpaid_balance(books: Books) -> Nested:
    """Net of the movements that no payout holds yet."""
    return {
        c: text(sum(m.net for m in books.movements if m.currency == c and not m.payout and m.kind != "payout"), c)
        for c in co.CURRENCIES
    }


# ── what does not agree ───────────────────────────────────────────────────────────────────────────────────────────


def differences(books: Books, ledger: Ledger) -> list[Nested]:
    missing, taxed = books.invoices[co.NOT_IN_ERP], books.invoices[co.ERP_TAX_PLUS_ONE]
    paid = find(books.payments, lambda p: p.applied == [(co.ERP_PAYMENT_AMOUNT[0], p.amount)])
    posted = minor(co.ERP_PAYMENT_AMOUNT[1], paid.currency)
    transit = find(books.payouts, lambda p: p.status == "in_transit")
    on, currency, charge, memo, _ = find(co.BANK_CHARGES, lambda c: not c[4])
    charged = find(statement_entries(books), lambda e: (e.on, e.description) == (on, memo))
    won = find(co.DEALS, lambda d: d.stage == "Closed Won" and not d.deleted and not d.ordered)
    won_in = co.CUSTOMER[won.customer].currency
    erp = ledger.by_key
    return [
        difference("D1", "INV-MISSING-ERP", "Stripe invoice never posted to the ERP", missing.id,
                   text(missing.total, missing.currency), None, missing.currency),
        difference("D2", "INV-TAX", "ERP invoice has 0.01 more tax; 0.01 stays open", taxed.id,
                   text(taxed.tax, taxed.currency), text(taxed.tax + 1, taxed.currency), taxed.currency,
                   erp_id=erp[taxed.key].id),
        difference("D3", "PAY-SHORT", "ERP payment with two digits exchanged; the invoice stays part open", paid.id,
                   text(paid.amount, paid.currency), text(posted, paid.currency), paid.currency,
                   erp_id=erp[paid.key].id),
        difference("D4", "PAYOUT-TRANSIT", "Payout on its way: not at the bank, not in the ERP", transit.id,
                   text(transit.amount, transit.currency), None, transit.currency),
        difference("D5", "BANK-UNKNOWN", "Bank charge that nobody posted", charged.reference,
                   None, f"-{charge}", currency),
        difference("D6", "ORD-MISSING", "Closed-won opportunity without order", salesforce_id("006", won.key),
                   text(sum(contract_value(won, i) for i in won.items), won_in), None, won_in),
        difference("D7", "CUS-ATTR", "Renamed in CRM and Stripe, old name in the ERP (no money)",
                   salesforce_id("001", co.RENAMED[0]), co.CUSTOMER[co.RENAMED[0]].name, co.RENAMED[1], None),
    ]  # fmt: skip


def find(items: Iterable[T], wanted: Callable[[T], bool]) -> T:
    """The only one."""
    (found,) = (i for i in items if wanted(i))
    return found


def difference(key: str, code: str, what: str, id_: str, left: str | None, right: str | None, currency: str | None,
               **more: object) -> Nested:  # fmt: skip
    """Left is the system named first in DOMAIN.md section 4, right the other; None is absent."""
    found = {"key": key, "code": code, "what": what, "id": id_, "left": left, "right": right, "currency": currency}
    return found | more


def refused() -> list[Nested]:
    lines = sum(len(d.items) for d in co.DEALS)
    return [
        {"file": "salesforce/OpportunityLineItem.csv", "id": numbered_id("00k", lines + 1), "field": "TotalPrice",
         "value": REFUSED[1], "why": "an amount with a thousands separator", "currency": "GBP", "amount": "1234.56"},
        {"file": "netsuite/transactionline_2025-06-30.csv", "id": ORPHAN_LINE, "field": "transaction",
         "value": "99999", "why": "an invoice line without header", "currency": "USD", "amount": "480.00"},
        {"file": "bank/statement_EUR.csv", "id": "BK90001", "field": "booking_date", "value": REFUSED_DATE,
         "why": "a date that does not exist", "currency": "EUR", "amount": REFUSED_AMOUNT},
    ]  # fmt: skip


def tables(files: dict[str, str]) -> Nested:
    """Rows per table over all its files, refused ones included, before versions are superseded."""
    found: dict[str, int] = defaultdict(int)
    for name, body in sorted(files.items()):
        found[name.split(".")[0].split("_20")[0].split("_page")[0]] += count_rows(name, body)
    return dict(found)


def count_rows(name: str, body: str) -> int:
    """Data rows of a file: CSV rows, JSON objects of a page, MT940 statement lines."""
    if name.endswith(".csv"):
        return len(body.splitlines()) - 1
    if name.endswith(".jsonl"):
        return len(body.splitlines())
    if name.endswith(".sta"):
        return body.count("\n:61:")
    page = json.loads(body)
    return len(page.get("data") or page["items"])
