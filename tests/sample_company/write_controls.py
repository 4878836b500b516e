"""The controller's own file: figures read off the systems' reports, from the books that the systems were told of."""

from __future__ import annotations

from collections.abc import Iterator

from . import company as co
from .books import Books
from .files import Row, csv_text
from .ledger import Ledger
from .truth import receivables, trial_balance, unpaid_balance

AGING_DAYS = ("2024-12-31", "2025-06-30")


def controls_files(books: Books, ledger: Ledger) -> dict[str, str]:
    return {"control_figures.csv": csv_text([*aging(ledger), *balances(ledger), *processor(books)])}


def figure(system: str, report: str, name: str, amount: str, **more: str) -> Row:
    columns = {"entity": None, "item": None, "currency": None, "starts_on": None, "as_of": str(co.LAST)} | more
    return {"system": system, "report": report, "figure": name} | columns | {"amount": amount}


def aging(ledger: Ledger) -> Iterator[Row]:
    """What the AR aging of each entity sums to, by its name as the report prints it."""
    names = {e.number: e.legal_name for e in (co.US, co.UK)}
    for row in receivables(ledger):
        if row["on"] in AGING_DAYS:
            more = {"entity": names[row["entity"]], "currency": row["currency"], "as_of": row["on"]}
            yield figure("netsuite", "ar_aging", "total", row["net"], **more)


def balances(ledger: Ledger) -> Iterator[Row]:
    """The closing balance of every account."""
    for row in trial_balance(ledger):
        more = {"entity": str(row["entity"]), "item": row["number"], "currency": row["currency"]}
        yield figure("netsuite", "trial_balance", "closing", row["balance"], **more)


def processor(books: Books) -> Iterator[Row]:
    for currency, amount in unpaid_balance(books).items():
        yield figure("stripe", "balance_summary", "ending_balance", amount, currency=currency)
