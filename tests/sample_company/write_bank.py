"""The bank's shape: one CSV a currency account with monthly statements, and MT940 for the sterling account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from . import company as co
from .books import Books, on_stripe
from .files import Row, csv_text
from .money import add_months, minor, quarter, text

ACCOUNT = {"USD": "US-OPS-0001", "GBP": "GB-OPS-0002", "EUR": "GB-EUR-0003", "JPY": "US-JPY-0004"}
REFUSED_DATE, REFUSED_AMOUNT = "2025-02-30", "3.20"  # refused: there is no such day; not part of any balance


@dataclass
class Entry:
    """One statement line, credit positive."""

    on: date
    currency: str
    amount: int
    end_to_end: str
    description: str
    counterparty: str
    payout: str = ""
    reference: str = ""
    balance: int = 0


def bank_files(books: Books) -> dict[str, str]:
    entries = statement_entries(books)
    files = {f"statement_{c}.csv": csv_text(csv_rows(entries, c)) for c in ("USD", "EUR", "JPY")}
    return files | {"statement_GBP.sta": "".join(mt940(entries))}


def statement_entries(books: Books) -> list[Entry]:
    """Payouts that arrived, wires, bank charges: by day, with running balance."""
    found = [
        Entry(p.arrival, p.currency, p.amount, p.trace, f"STRIPE PAYOUT {p.id} QUILLMARK", "Stripe", p.id)
        for p in books.payouts
        if p.status == "paid"
    ]
    for p in (p for p in books.payments if not on_stripe(p.customer)):
        numbers = " ".join(books.invoices[k].number for k, _ in p.applied)
        found.append(Entry(p.on, p.currency, p.amount, p.key.upper(), f"INVOICE {numbers}", p.customer.name))
    for on, currency, amount, memo, _ in co.BANK_CHARGES:
        found.append(Entry(on, currency, -minor(amount, currency), "", memo, "Bank"))
    found.sort(key=lambda e: (e.on, -e.amount))
    balance = {c: minor(a, c) for c, a in co.OPENING_BALANCE.items()}
    for n, entry in enumerate(found, 1):
        balance[entry.currency] += entry.amount
        entry.balance, entry.reference = balance[entry.currency], f"BK{n:05d}"
    return found


def csv_rows(entries: list[Entry], currency: str) -> Iterator[Row]:
    numbers: dict[str, int] = {}
    late = refused = currency == "EUR"
    for e in (e for e in entries if e.currency == currency):
        if refused and late and e.on > date(2025, 2, 28):
            yield refused_row(entries)
            refused = False
        statement = f"{ACCOUNT[currency]}-{e.on:%Y-%m}"
        numbers[statement] = numbers.get(statement, 0) + 1
        yield csv_row(statement, numbers[statement], e)


def csv_row(statement: str, number: int, e: Entry) -> dict[str, object]:
    return {
        "statement_id": statement, "account_id": ACCOUNT[e.currency], "line_number": number, "booking_date": e.on,
        "value_date": e.on, "amount": text(e.amount, e.currency), "currency": e.currency,
        "bank_reference": e.reference, "end_to_end_reference": e.end_to_end, "description": e.description,
        "counterparty": e.counterparty, "balance_after": text(e.balance, e.currency),
    }  # fmt: skip


def refused_row(entries: list[Entry]) -> Row:
    before = [e for e in entries if e.currency == "EUR" and e.on <= date(2025, 2, 28)][-1]
    interest = Entry(date(2025, 2, 28), "EUR", minor(REFUSED_AMOUNT, "EUR"), "", "INTEREST", "Bank", "", "BK90001")
    interest.balance = before.balance
    row = csv_row(f"{ACCOUNT['EUR']}-2025-02", 1, interest)
    return row | {"booking_date": REFUSED_DATE, "value_date": REFUSED_DATE}


# ── MT940 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mt940(entries: list[Entry]) -> Iterator[str]:
    """One message a quarter; closing balance = opening balance + lines = the next opening balance."""
    balance = minor(co.OPENING_BALANCE["GBP"], "GBP")
    for k in range(0, 18, 3):
        start = add_months(co.FIRST, k)
        lines = [e for e in entries if e.currency == "GBP" and quarter(e.on) == quarter(start)]
        closing = balance + sum(e.amount for e in lines)
        yield mt940_message(k // 3 + 1, start, lines, balance, closing)
        balance = closing


def mt940_message(number: int, start: date, lines: list[Entry], opening: int, closing: int) -> str:
    """Opening balance dated the day before, closing balance the quarter's last day."""
    end = date.fromordinal(add_months(start, 3).toordinal() - 1)
    before = date.fromordinal(start.toordinal() - 1)
    found = [
        f":20:STMTGBP{number:04d}",
        f":25:{ACCOUNT['GBP']}",
        f":28C:{number:05d}/001",
        f":60F:C{before:%y%m%d}GBP{comma(opening)}",
    ]
    for e in lines:
        side = "C" if e.amount > 0 else "D"
        found.append(f":61:{e.on:%y%m%d}{e.on:%m%d}{side}{comma(abs(e.amount))}NTRF{e.end_to_end}//{e.reference}")
        found.append(f":86:/EREF/{e.end_to_end}/NAME/{e.counterparty}")
        found.append(f"/REMI/{e.description.replace('_', '')}")
    return "\n".join([*found, f":62F:C{end:%y%m%d}GBP{comma(closing)}", "-\n"])


def comma(amount: int) -> str:
    """SWIFT's decimal comma."""
    return text(amount, "GBP").replace(".", ",")
