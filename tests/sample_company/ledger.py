"""The ERP's books: every document as balanced lines in transaction and functional currency, and their links.

Accounting policy of the sample (see README.md): documents at the month's first rate; credit memos at their
invoice's rate; gain or loss realised when cash meets a document; no period-end revaluation; revenue at invoice.
Debit is positive. What the ERP knows wrongly (the honest differences) is wrong here on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from . import company as co
from .books import Books, Credit, Dispute, Invoice, Line, Payment, Payout, Refund, on_stripe
from .money import convert, minor, percent, spread

FIRST_ID = 10001

# key: (NetSuite id, number, name, type)
ACCOUNTS = {
    "bank_USD": (101, "1010", "Bank USD", "Bank"),
    "bank_GBP": (102, "1020", "Bank GBP", "Bank"),
    "bank_EUR": (103, "1030", "Bank EUR", "Bank"),
    "bank_JPY": (104, "1040", "Bank JPY", "Bank"),
    "clearing": (110, "1100", "Stripe clearing", "OthCurrAsset"),
    "disputed": (111, "1110", "Disputed funds held", "OthCurrAsset"),
    "receivable": (120, "1200", "Accounts receivable", "AcctRec"),
    "tax": (220, "2200", "Sales tax and VAT payable", "OthCurrLiab"),
    "equity": (300, "3000", "Share capital", "Equity"),
    "subscription": (400, "4000", "Subscription revenue", "Income"),
    "services": (410, "4100", "Services and hardware revenue", "Income"),
    "fees": (610, "6100", "Processor fees", "Expense"),
    "bank_charges": (620, "6200", "Bank charges", "Expense"),
    "dispute_losses": (630, "6300", "Dispute losses", "Expense"),
    "fx": (710, "7100", "Realised exchange gain or loss", "OthExpense"),
}


@dataclass
class Posting:
    """One line of a document, in minor units of the transaction and of the functional currency."""

    account: str
    foreign: int
    functional: int
    line: Line | None = None
    mainline: bool = False
    kind: str = ""  # NetSuite item type: Service, NonInvtPart, Discount, TaxItem
    note: str = ""


@dataclass
class Document:
    """One ERP transaction."""

    type: str
    number: str
    on: date
    currency: str
    postings: list[Posting]
    key: str = ""
    customer: co.Customer | None = None
    due: date | None = None
    external: str = ""
    reference: str = ""
    memo: str = ""
    rate: Decimal = Decimal(1)
    posting: bool = True
    voided: date | None = None
    deleted: date | None = None
    id: int = 0

    @property
    def entity(self) -> co.Entity:
        return co.ENTITY_OF_CURRENCY[self.currency]

    @property
    def total(self) -> int:
        return self.postings[0].foreign

    def on_account(self, account: str) -> int:
        return sum(p.functional for p in self.postings if p.account == account)


@dataclass
class Link:
    """`amount` of `next` was applied to `previous` (for a refund: pays `previous` back)."""

    previous: Document
    next: Document
    amount: int
    kind: str = "Payment"


@dataclass
class Ledger:
    """All documents in order of date, and their links."""

    documents: list[Document] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    by_key: dict[str, Document] = field(default_factory=dict)

    def add(self, document: Document) -> Document:
        self.documents.append(document)
        if document.key:
            self.by_key[document.key] = document
        return document

    def applied(self, document: Document, upto: date = co.LAST) -> int:
        """How much of a document is used up, in its own currency."""
        return sum(
            link.amount
            for link in self.links
            if link.kind == "Payment" and document in (link.previous, link.next) and link.next.on <= upto
        )

    def carrying(self, document: Document, amount: int) -> int:
        """The functional value that using `amount` more of a document takes off the receivable account."""
        before = self.applied(document)
        functional = document.entity.functional

        def value(upto: int) -> int:
            return convert(upto, document.rate, document.currency, functional)

        return value(before + amount) - value(before)


def rate_on(currency: str, on: date) -> Decimal:
    return co.spot(co.ENTITY_OF_CURRENCY[currency].functional, currency, on)


def functional(amount: int, currency: str, rate: Decimal) -> int:
    return convert(amount, rate, currency, co.ENTITY_OF_CURRENCY[currency].functional)


def post(books: Books) -> Ledger:
    """Everything the ERP posted, in order of date."""
    ledger = Ledger()
    opening_balances(ledger)
    for deal in (d for d in co.DEALS if d.ordered):
        sales_order(ledger, deal)
    for invoice in books.invoices.values():
        if invoice.state != "draft" and invoice.key != co.NOT_IN_ERP:
            post_invoice(ledger, invoice)
    cash: list[Payment | Credit | Refund] = [p for p in books.payments if p.status == "succeeded"]
    cash += [*books.credits, *books.refunds]
    for event in sorted(cash, key=lambda e: (e.on, {Credit: 0, Payment: 1, Refund: 2}[type(e)], e.key)):
        post_cash(ledger, event)
    for dispute in books.disputes:
        post_dispute(ledger, dispute)
    for payout in books.payouts:
        if payout.status == "paid":
            post_payout(ledger, payout)
    for on, currency, amount, memo, known in co.BANK_CHARGES:
        if known:
            bank_charge(ledger, on, currency, minor(amount, currency), memo)
    duplicate_invoice(ledger)
    number(ledger)
    return ledger


def post_cash(ledger: Ledger, event: Payment | Credit | Refund) -> None:
    if isinstance(event, Payment):
        post_payment(ledger, event)
    elif isinstance(event, Credit):
        post_credit(ledger, event)
    else:
        post_refund(ledger, event)


# ── documents ─────────────────────────────────────────────────────────────────────────────────────────────────────


def opening_balances(ledger: Ledger) -> None:
    for currency, text in co.OPENING_BALANCE.items():
        amount, rate = minor(text, currency), rate_on(currency, co.FIRST)
        value = functional(amount, currency, rate)
        lines = [Posting(f"bank_{currency}", amount, value), Posting("equity", -amount, -value)]
        memo = f"Opening balance {currency}"
        ledger.add(Document("Journal", f"JE-OPEN-{currency}", co.FIRST, currency, lines, memo=memo, rate=rate))


def item_postings(lines: list[Line], sign: int) -> list[Posting]:
    """Item lines (gross), then a discount line, then a tax line, for each line; functional comes later."""
    found = []
    for line in lines:
        product = co.PRODUCT[line.product]
        account = "subscription" if product.recurring else "services"
        kind = "NonInvtPart" if product.family == "Hardware" else "Service"
        found.append(Posting(account, -sign * line.gross, 0, line, kind=kind, note=line.note or product.name))
        if line.discount:
            found.append(Posting(account, sign * line.discount, 0, line, kind="Discount", note="Discount"))
        if line.tax:
            found.append(Posting("tax", -sign * line.tax, 0, line, kind="TaxItem", note="Tax"))
    return found


def trade_document(kind: str, number_: str, on: date, invoice: Invoice, lines: list[Line], rate: Decimal) -> Document:
    """An invoice or credit memo: the total on the receivable account, the lines share its functional value."""
    sign = 1 if kind != "CustCred" else -1
    items = item_postings(lines, sign)
    total = -sum(p.foreign for p in items)
    value = functional(total, invoice.currency, rate)
    for posting, part in zip(items, spread(-value, [p.foreign for p in items]), strict=True):
        posting.functional = part
    postings = [Posting("receivable", total, value, mainline=True), *items]
    return Document(kind, number_, on, invoice.currency, postings, customer=invoice.customer, rate=rate)


def sales_order(ledger: Ledger, deal: co.Deal) -> None:
    """A non-posting order over the whole contract."""
    customer = co.CUSTOMER[deal.customer]
    items = [
        Posting("subscription", -contract_value(deal, item), 0, Line(item.product, item.quantity, 0, 0, 0, 0))
        for item in deal.items
        if not item.deleted
    ]
    total = Posting("receivable", -sum(p.foreign for p in items), 0, mainline=True)
    on = deal.signed or deal.closed
    order = Document(
        "SalesOrd", f"SO-{deal.key}", on, customer.currency, [total, *items], f"order-{deal.key}", customer
    )
    order.posting, order.external, order.rate = False, deal.key, rate_on(customer.currency, on)
    order.memo = deal.name
    ledger.add(order)


def contract_value(deal: co.Deal, item: co.Item) -> int:
    """TCV of one item: price x quantity x months, less discount; without months when one-time."""
    currency = co.CUSTOMER[deal.customer].currency
    months = (item.months or deal.term) if co.PRODUCT[item.product].recurring else 1
    gross = minor(item.price, currency) * item.quantity * months
    return gross - percent(gross, item.discount_pct)


def post_invoice(ledger: Ledger, invoice: Invoice) -> None:
    rate = rate_on(invoice.currency, invoice.issued)
    lines = [Line(**vars(line)) for line in invoice.lines]
    if invoice.key == co.ERP_TAX_PLUS_ONE:
        lines[0].tax += 1
    document = trade_document("CustInvc", invoice.number, invoice.issued, invoice, lines, rate)
    document.key, document.due, document.external = invoice.key, invoice.due, invoice.id
    document.memo = co.DEAL[invoice.deal].name
    if invoice.voided:
        document.voided, document.memo = invoice.voided, "VOID"
        for posting in document.postings:
            posting.foreign = posting.functional = 0
    ledger.add(document)
    ledger.links.append(Link(ledger.by_key[f"order-{invoice.deal}"], document, document.total, "OrdBill"))


def post_credit(ledger: Ledger, credit: Credit) -> None:
    invoice = ledger.by_key[credit.invoice.key]
    number_ = f"CM-{credit.key.removeprefix('credit-')}"
    document = trade_document("CustCred", number_, credit.on, credit.invoice, [credit.line], invoice.rate)
    document.key, document.external, document.memo = credit.key, credit.id, credit.line.note
    ledger.add(document)
    if credit.use == "applied":
        ledger.links.append(Link(invoice, document, credit.total))


def post_payment(ledger: Ledger, payment: Payment) -> None:
    """Receivable at the invoices' rates, cash at the day's; the difference is realised."""
    currency, rate = payment.currency, rate_on(payment.currency, payment.on)
    amount, applied = payment.amount, payment.applied
    if applied and applied[0][0] == co.ERP_PAYMENT_AMOUNT[0]:
        amount = minor(co.ERP_PAYMENT_AMOUNT[1], currency)
        applied = [(applied[0][0], amount)]
    used = [(ledger.by_key[key], part) for key, part in applied]
    unapplied = amount - sum(part for _, part in used)
    relieved = sum(ledger.carrying(doc, part) for doc, part in used) + functional(unapplied, currency, rate)
    account = "clearing" if on_stripe(payment.customer) else f"bank_{currency}"
    document = settlement("CustPymt", payment.key, payment.on, currency, -amount, -relieved, account)
    document.customer, document.external = payment.customer, payment.id
    document.reference = "" if payment.id else payment.key.upper()  # as on the bank statement
    ledger.add(document)
    ledger.links.extend(Link(doc, document, part) for doc, part in used)


def post_refund(ledger: Ledger, refund: Refund) -> None:
    """Pays back a credit memo, or a charge that paid no invoice."""
    currency = refund.charge.currency
    paid_back = ledger.by_key[refund.credit.key if refund.credit else refund.charge.key]
    relieved = ledger.carrying(paid_back, refund.amount)
    document = settlement("CustRfnd", refund.key, refund.on, currency, refund.amount, relieved, "clearing")
    document.customer, document.external = refund.charge.customer, refund.id
    ledger.add(document)
    ledger.links.append(Link(paid_back, document, refund.amount))


def settlement(kind: str, key: str, on: date, currency: str, amount: int, relieved: int, account: str) -> Document:
    """Receivable (mainline) against cash, with the exchange difference."""
    rate = rate_on(currency, on)
    cash = functional(-amount, currency, rate)
    postings = [Posting("receivable", amount, relieved, mainline=True), Posting(account, -amount, cash)]
    if relieved + cash:
        postings.append(Posting("fx", 0, -relieved - cash, note="Realised exchange difference"))
    return Document(kind, "", on, currency, postings, key, rate=rate)


def post_dispute(ledger: Ledger, dispute: Dispute) -> None:
    """Money held back while open; then lost, or returned."""
    currency, money = dispute.charge.currency, dispute.charge.amount
    end = "clearing" if dispute.outcome == "won" else "dispute_losses"
    for on, debit, credit, what in (
        (dispute.opened, "disputed", "clearing", "opened"),
        (dispute.closed, end, "disputed", dispute.outcome),
    ):
        lines = [Posting(debit, money, money), Posting(credit, -money, -money)]
        memo = f"Dispute {dispute.id} {what}"
        journal = Document("Journal", f"JE-{dispute.id}-{what}", on, currency, lines, memo=memo)
        ledger.add(journal)


def post_payout(ledger: Ledger, payout: Payout) -> None:
    """Net to the bank, fees to expense, gross off the clearing account at what it was posted for."""
    currency, rate = payout.currency, rate_on(payout.currency, payout.arrival)
    parts = [m for part in payout.parts for m in (part.source.parts if isinstance(part.source, Payout) else [part])]
    gross, fees = sum(m.amount for m in parts), sum(m.fee for m in parts)
    carried = sum(functional(m.amount, currency, rate_on(currency, m.on)) for m in parts)
    bank, fee = functional(gross - fees, currency, rate), functional(fees, currency, rate)
    lines = [
        Posting(f"bank_{currency}", gross - fees, bank, mainline=True),
        Posting("clearing", -gross, -carried, note="Charges, refunds and disputes"),
        Posting("fees", fees, fee, note="Processor fees"),
    ]
    if carried - bank - fee:
        lines.append(Posting("fx", 0, carried - bank - fee, note="Realised exchange difference"))
    memo = f"Stripe payout {payout.id} {payout.trace}"
    deposit = Document("Deposit", f"DEP-{payout.id}", payout.arrival, currency, lines, memo=memo, rate=rate)
    deposit.external = payout.id
    ledger.add(deposit)


def bank_charge(ledger: Ledger, on: date, currency: str, amount: int, memo: str) -> None:
    rate = rate_on(currency, on)
    value = functional(amount, currency, rate)
    lines = [Posting("bank_charges", amount, value), Posting(f"bank_{currency}", -amount, -value)]
    ledger.add(Document("Journal", f"JE-FEE-{currency}", on, currency, lines, memo=memo, rate=rate))


def duplicate_invoice(ledger: Ledger) -> None:
    """Entered twice and hard-deleted after the year-end extract."""
    key, on, deleted = co.ERP_DELETED_DUPLICATE
    first = ledger.by_key[key]
    copies = [Posting(**vars(p)) for p in first.postings]
    twice = Document("CustInvc", f"{first.number}-A", on, first.currency, copies, f"{key}/twice", first.customer)
    twice.due, twice.deleted, twice.memo = first.due, deleted, "Entered twice"
    ledger.add(twice)


def number(ledger: Ledger) -> None:
    """Internal ids in order of date; payments and refunds get their running numbers."""
    ledger.documents.sort(key=lambda d: d.on)
    counters = {"CustPymt": 0, "CustRfnd": 0}
    for n, document in enumerate(ledger.documents):
        document.id = FIRST_ID + n
        if document.type in counters:
            counters[document.type] += 1
            document.number = f"{'PMT' if document.type == 'CustPymt' else 'RFD'}-{counters[document.type]:04d}"


# ── what the ledger says ──────────────────────────────────────────────────────────────────────────────────────────


def standing(ledger: Ledger) -> list[Document]:
    """The posting documents that still exist."""
    return [d for d in ledger.documents if d.posting and not d.deleted]


def open_functional(ledger: Ledger, document: Document, upto: date) -> int:
    """What is left of a document on the receivable account, signed, from its links and own rate only."""
    sign = 1 if document.total >= 0 else -1
    left = abs(document.total) - ledger.applied(document, upto)
    return sign * convert(left, document.rate, document.currency, document.entity.functional)
