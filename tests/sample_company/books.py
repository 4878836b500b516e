"""From the script to commercial documents: invoices, charges, wires, credits, refunds, disputes, payouts.

This is the truth both the extracts and `expected.json` are written from. General ledger: see `ledger.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from . import company as co
from .money import add_months, business_days_later, minor, month_end, percent

DAYS_TO_PAY = 30


@dataclass
class Line:
    """One invoice or credit line; amounts in minor units, `gross` before discount and tax."""

    product: str
    quantity: int
    unit: int
    gross: int
    discount: int
    tax: int
    start: date | None = None
    end: date | None = None
    note: str = ""

    @property
    def net(self) -> int:
        return self.gross - self.discount


@dataclass
class Invoice:
    """One invoice; `state` is posted, void or draft."""

    key: str
    deal: str
    customer: co.Customer
    issued: date
    lines: list[Line]
    state: str = "posted"
    voided: date | None = None
    id: str = ""
    number: str = ""

    @property
    def currency(self) -> str:
        return self.customer.currency

    @property
    def due(self) -> date:
        return self.issued + timedelta(days=DAYS_TO_PAY)

    @property
    def net(self) -> int:
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        return self.net + self.tax


@dataclass
class Payment:
    """One charge attempt (channel stripe) or wire; `applied` names invoice and amount."""

    key: str
    customer: co.Customer
    on: date
    amount: int
    applied: list[tuple[str, int]]
    status: str = "succeeded"
    refunded: int = 0
    disputed: bool = False
    id: str = ""

    @property
    def currency(self) -> str:
        return self.customer.currency


@dataclass
class Credit:
    """One credit memo for one invoice; `use` is applied, refunded or open."""

    key: str
    invoice: Invoice
    on: date
    line: Line
    use: str
    id: str = ""

    @property
    def total(self) -> int:
        return self.line.net + self.line.tax


@dataclass
class Refund:
    """Money sent back by Stripe, for a credit memo or for a charge that paid nothing."""

    key: str
    on: date
    amount: int
    charge: Payment
    credit: Credit | None
    id: str = ""


@dataclass
class Dispute:
    """A chargeback: the amount leaves when opened and comes back when won."""

    charge: Payment
    opened: date
    closed: date
    outcome: str
    fee: int
    id: str = ""


@dataclass
class Movement:
    """One Stripe balance transaction; `amount` and `fee` in minor units, net = amount - fee."""

    kind: str
    category: str
    on: date
    currency: str
    amount: int
    fee: int
    source: Payment | Refund | Dispute | Payout
    payout: Payout | None = None
    id: str = ""

    @property
    def net(self) -> int:
        return self.amount - self.fee


@dataclass
class Payout:
    """One transfer of a currency's balance to the bank; `parts` are the movements it pays out."""

    currency: str
    created: date
    arrival: date
    status: str
    parts: list[Movement] = field(default_factory=list)
    failed_on: date | None = None
    id: str = ""

    @property
    def amount(self) -> int:
        return sum(part.net for part in self.parts)

    @property
    def trace(self) -> str:
        return f"TRC{self.created:%y%m%d}{self.currency}"


@dataclass
class Books:
    """Everything that happened, in order of date."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)

    def open_amount(self, key: str) -> int:
        """What is left of an invoice after the succeeded payments and applied credits so far."""
        paid = sum(a for p in self.payments if p.status == "succeeded" for k, a in p.applied if k == key)
        credited = sum(c.total for c in self.credits if c.invoice.key == key and c.use == "applied")
        return self.invoices[key].total - paid - credited


def on_stripe(customer: co.Customer) -> bool:
    """Billed and collected by Stripe, and not by wire."""
    return customer.channel == "stripe"


def keep_books() -> Books:
    """Play the whole script."""
    books = Books()
    bill(books)
    grant_credits(books)
    charge_cards(books)
    receive_wires(books)
    charge_twice(books)
    refund_credits(books)
    raise_disputes(books)
    pay_out(books)
    number(books)
    return books


# ── invoices ──────────────────────────────────────────────────────────────────────────────────────────────────────


def bill(books: Books) -> None:
    """Every won and ordered deal in advance, plus the voided and the draft invoice."""
    found = [i for deal in co.DEALS if deal.ordered for i in invoices_of(deal)]
    key, issued, voided = co.VOIDED
    found.append(extra_invoice(key, issued, "void", voided))
    found.append(extra_invoice(co.DRAFT[0], co.DRAFT[1], "draft", None))
    books.invoices = {i.key: i for i in sorted(found, key=lambda i: (i.issued, i.key))}


def invoices_of(deal: co.Deal) -> list[Invoice]:
    """One invoice a billing period until the end of the story."""
    periods = deal.term // deal.every if deal.every else 1
    starts = [add_months(deal.start, k * deal.every) for k in range(periods)]
    return [
        Invoice(f"{deal.key}-{k:02d}", deal.key, co.CUSTOMER[deal.customer], start, period_lines(deal, k - 1))
        for k, start in enumerate(starts, 1)
        if start <= co.LAST
    ]


def period_lines(deal: co.Deal, k: int) -> list[Line]:
    """The recurring items in force in period `k`; one-time items come with the first."""
    lines = []
    for item in deal.items:
        recurring = co.PRODUCT[item.product].recurring
        months_from, months_to = item.after, item.after + (item.months or deal.term)
        if item.deleted or (not recurring and k) or (recurring and not months_from <= k * deal.every < months_to):
            continue
        lines.append(bill_line(deal, item, k if recurring else None))
    return lines


def bill_line(deal: co.Deal, item: co.Item, k: int | None) -> Line:
    """One line, for billing period `k` or (None) for a one-time item."""
    customer = co.CUSTOMER[deal.customer]
    unit = minor(item.price, customer.currency) * (1 if k is None else deal.every)
    gross = unit * item.quantity
    discount = percent(gross, item.discount_pct)
    tax = percent(gross - discount, customer.tax_pct)
    line = Line(item.product, item.quantity, unit, gross, discount, tax, note=item.note)
    if k is not None:
        line.start = add_months(deal.start, k * deal.every)
        line.end = add_months(deal.start, (k + 1) * deal.every) - timedelta(days=1)
    return line


def extra_invoice(deal: str, issued: date, state: str, voided: date | None) -> Invoice:
    """A manual one-seat invoice that never counts."""
    customer = co.CUSTOMER[co.DEAL[deal].customer]
    unit = minor("2500" if customer.currency == "JPY" else "19", customer.currency)
    end = add_months(issued, 1) - timedelta(days=1)
    line = Line("SEAT", 1, unit, unit, 0, percent(unit, customer.tax_pct), issued, end)
    return Invoice(f"{deal}-{state}", deal, customer, issued, [line], state, voided)


# ── cash and credits ──────────────────────────────────────────────────────────────────────────────────────────────


def grant_credits(books: Books) -> None:
    for n, (day, key, product, net, use) in enumerate(co.CREDITS, 1):
        invoice = books.invoices[key]
        amount = minor(net, invoice.currency)
        line = Line(product, 1, amount, amount, 0, percent(amount, invoice.customer.tax_pct), note=f"Credit for {key}")
        books.credits.append(Credit(f"credit-{n}", invoice, date.fromisoformat(day), line, use))


def charge_cards(books: Books) -> None:
    """Stripe customers: the script's attempts, else one success on the day after."""
    for invoice in books.invoices.values():
        if not on_stripe(invoice.customer) or invoice.state != "posted":
            continue
        usual = ((str(invoice.issued + timedelta(days=1)), "rest", "succeeded"),)
        for n, (day, amount, status) in enumerate(co.ATTEMPTS.get(invoice.key, usual), 1):
            rest = books.open_amount(invoice.key)
            taken = rest if amount == "rest" else minor(amount, invoice.currency)
            payment = Payment(f"{invoice.key}/{n}", invoice.customer, date.fromisoformat(day), taken, [], status)
            payment.applied.append((invoice.key, taken))
            books.payments.append(payment)


def receive_wires(books: Books) -> None:
    for n, (day, keys, amount, extra) in enumerate(co.WIRES, 1):
        customer = books.invoices[keys[0]].customer
        wanted = [books.open_amount(k) if amount == "rest" else minor(amount, customer.currency) for k in keys]
        total = sum(wanted) + minor(extra, customer.currency)
        applied = list(zip(keys, wanted, strict=True))
        books.payments.append(Payment(f"wire-{n:02d}", customer, date.fromisoformat(day), total, applied))


def charge_twice(books: Books) -> None:
    """A second charge for a paid invoice; it pays nothing and is refunded."""
    key, on, refunded = co.DUPLICATE_CHARGE
    invoice = books.invoices[key]
    twice = Payment(f"{key}/again", invoice.customer, on, invoice.total, [], refunded=invoice.total)
    books.payments.append(twice)
    books.refunds.append(Refund("refund-duplicate", refunded, twice.amount, twice, None))


def refund_credits(books: Books) -> None:
    for credit in (c for c in books.credits if c.use == "refunded"):
        charge = charge_of(books, credit.invoice.key)
        charge.refunded += credit.total
        books.refunds.append(Refund(f"refund-{credit.key}", credit.on, credit.total, charge, credit))


def raise_disputes(books: Books) -> None:
    for key, opened, closed, outcome, fee in co.DISPUTES:
        charge = charge_of(books, key)
        charge.disputed = True
        books.disputes.append(Dispute(charge, opened, closed, outcome, minor(fee, charge.currency)))


def charge_of(books: Books, key: str) -> Payment:
    """The first succeeded charge of an invoice."""
    return next(p for p in books.payments if p.status == "succeeded" and any(k == key for k, _ in p.applied))


# ── Stripe balance and payouts ────────────────────────────────────────────────────────────────────────────────────

FEES = {"USD": ("2.9", 30), "EUR": ("1.5", 25), "GBP": ("1.5", 20), "JPY": ("3.6", 0)}


def fee_of(charge: Payment) -> int:
    pct, fixed = FEES[charge.currency]
    return percent(charge.amount, pct) + fixed


def balance_movements(books: Books) -> list[Movement]:
    """Charges, refunds and disputes as Stripe's balance sees them."""
    charges = [p for p in books.payments if on_stripe(p.customer) and p.status == "succeeded"]
    found = [Movement("charge", "charge", p.on, p.currency, p.amount, fee_of(p), p) for p in charges]
    found += [Movement("refund", "refund", r.on, r.charge.currency, -r.amount, 0, r) for r in books.refunds]
    for d in books.disputes:
        money, fee = d.charge.amount, d.fee
        found.append(Movement("adjustment", "dispute", d.opened, d.charge.currency, -money, fee, d))
        if d.outcome == "won":
            found.append(Movement("adjustment", "dispute_reversal", d.closed, d.charge.currency, money, -fee, d))
    return sorted(found, key=lambda m: (m.on, m.currency, m.kind, m.amount))


def pay_out(books: Books) -> None:
    """Monthly per currency: on the 4th, the movements up to the month's end. A negative balance waits."""
    books.movements = balance_movements(books)
    for currency in co.CURRENCIES:
        for k in range(co.month_number(co.LAST)):
            upto = month_end(add_months(co.FIRST, k))
            send_payout(books, currency, upto, upto + timedelta(days=4))
    currency, created = co.FINAL_PAYOUT
    send_payout(books, currency, created - timedelta(days=1), created)
    books.payouts.sort(key=lambda p: (p.created, p.currency))
    books.movements.sort(key=lambda m: (m.on, m.currency, m.kind, m.amount))


def send_payout(books: Books, currency: str, upto: date, created: date) -> None:
    parts = [m for m in books.movements if m.currency == currency and m.on <= upto and available(m)]
    if sum(m.net for m in parts) <= 0:
        return
    arrival = business_days_later(created, 2)
    payout = Payout(currency, created, arrival, "paid" if arrival <= co.LAST else "in_transit", parts)
    for part in parts:
        part.payout = payout
    books.payouts.append(payout)
    books.movements.append(Movement("payout", "payout", created, currency, -payout.amount, 0, payout))
    if (currency, created) == co.FAILED_PAYOUT[:2]:
        payout.status, payout.failed_on = "failed", co.FAILED_PAYOUT[2]
        back = Movement("payout_failure", "payout_reversal", co.FAILED_PAYOUT[2], currency, payout.amount, 0, payout)
        books.movements.append(back)


def available(movement: Movement) -> bool:
    return movement.payout is None and movement.kind != "payout"


# ── ids, in order of date ─────────────────────────────────────────────────────────────────────────────────────────


def number(books: Books) -> None:
    """Stripe ids and numbers; wire documents get the ERP's own numbers."""
    stripe = [i for i in books.invoices.values() if on_stripe(i.customer)]
    for n, invoice in enumerate(stripe, 1):
        invoice.id = f"in_{n:04d}"
        invoice.number = "" if invoice.state == "draft" else f"QM-{n:04d}"
    for n, invoice in enumerate((i for i in books.invoices.values() if not on_stripe(i.customer)), 1):
        invoice.number = f"INV{1000 + n}"
    books.payments.sort(key=lambda p: (p.on, p.key))
    books.refunds.sort(key=lambda r: r.on)
    charges = [p for p in books.payments if on_stripe(p.customer)]
    series: list[tuple[str, list]] = [  # type: ignore[type-arg]
        ("ch", charges), ("re", books.refunds), ("dp", books.disputes), ("txn", books.movements),
        ("po", books.payouts), ("cn", [c for c in books.credits if on_stripe(c.invoice.customer)]),
    ]  # fmt: skip
    for prefix, documents in series:
        for n, document in enumerate(documents, 1):
            document.id = f"{prefix}_{n:04d}"
