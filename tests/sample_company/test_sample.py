"""The committed sample is what the maker writes, and the maker's truth ties."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from decimal import Decimal

import pytest

from . import company as co
from .books import Books, keep_books, on_stripe
from .ledger import Ledger, open_functional, post, standing
from .make import HERE, SOURCES, make, path_of
from .money import add_months, convert, minor, month_end
from .truth import account_balance, is_trade
from .write_bank import statement_entries
from .write_stripe import EMBEDDED_LINES


@pytest.fixture(scope="module")
def books() -> Books:
    return keep_books()


@pytest.fixture(scope="module")
def ledger(books: Books) -> Ledger:
    return post(books)


def test_committed_files_are_what_the_maker_writes() -> None:
    files, truth = make()
    for name, body in files.items():
        assert path_of(name).read_bytes() == body.encode(), f"{name}: run python -m tests.sample_company.make"
    assert (HERE / "expected.json").read_bytes() == truth.encode()


def test_nothing_else_lies_in_the_sample_folders() -> None:
    files, _ = make()
    systems = {name.split("/")[0] for name in files}
    found = {path for system in systems for path in (SOURCES / system / "sample").iterdir()}
    assert found == {path_of(name) for name in files}


def test_every_document_balances_in_both_currencies(ledger: Ledger) -> None:
    for document in standing(ledger):
        assert sum(p.functional for p in document.postings) == 0, document.number
        assert sum(p.foreign for p in document.postings) == 0, document.number


def test_control_account_is_open_documents_at_every_month_end(ledger: Ledger) -> None:
    for month in range(co.month_number(co.LAST) + 1):
        upto = month_end(add_months(co.FIRST, month))
        for entity in (co.US, co.UK):
            documents = [d for d in standing(ledger) if d.entity is entity and d.on <= upto and is_trade(d)]
            left = sum(open_functional(ledger, d, upto) for d in documents)
            assert left == account_balance(ledger, entity, "receivable", upto), (upto, entity.name)


def test_nothing_is_applied_beyond_its_amount(ledger: Ledger) -> None:
    for document in filter(is_trade, standing(ledger)):
        assert 0 <= ledger.applied(document) <= abs(document.total), document.number


def test_partial_applications_round_the_same_alone_and_cumulated(ledger: Ledger) -> None:
    """So that the sample does not depend on which of the two ways a reader takes."""
    for document in filter(is_trade, standing(ledger)):
        parts = [k.amount for k in ledger.links if k.kind == "Payment" and document in (k.previous, k.next)]
        left = abs(document.total) - sum(parts)
        to = document.entity.functional
        alone = sum(convert(p, document.rate, document.currency, to) for p in [*parts, left])
        if not any(k.next is document and document.type == "CustPymt" for k in ledger.links):
            assert alone == convert(abs(document.total), document.rate, document.currency, to), document.number


def test_payouts_are_their_parts_and_their_bank_lines(books: Books) -> None:
    lines = {e.payout: e for e in statement_entries(books) if e.payout}
    assert {p.id for p in books.payouts if p.status == "paid"} == set(lines)
    for payout in books.payouts:
        assert payout.amount == sum(m.net for m in books.movements if m.payout is payout) > 0
        if payout.id in lines:
            line = lines[payout.id]
            assert (line.amount, line.currency, line.on) == (payout.amount, payout.currency, payout.arrival)


def test_stripe_balance_is_what_no_payout_took(books: Books) -> None:
    for currency in co.CURRENCIES:
        moved = [m for m in books.movements if m.currency == currency]
        waiting = sum(m.net for m in moved if not m.payout and m.kind != "payout")
        assert sum(m.net for m in moved) == waiting >= 0, currency


def test_bank_accounts_differ_from_the_ledger_by_the_unposted_charge_only(books: Books, ledger: Ledger) -> None:
    posted: dict[str, int] = defaultdict(int)
    for p in (p for d in standing(ledger) for p in d.postings if p.account.startswith("bank_")):
        posted[p.account[-3:]] += p.foreign
    closing = {e.currency: e.balance for e in statement_entries(books)}
    unknown = {c: -minor(a, c) for _, c, a, _, known in co.BANK_CHARGES if not known}
    assert closing == {c: posted[c] + unknown.get(c, 0) for c in co.CURRENCIES}


def test_mt940_balances_tie() -> None:
    files, _ = make()
    closing = None
    for message in files["bank/statement_GBP.sta"].split("-\n")[:-1]:
        fields = [line for line in message.splitlines() if line[:5] in (":60F:", ":62F:") or line.startswith(":61:")]
        opening, *lines, end = (Decimal(amount_in(f)) for f in fields)
        assert closing in (None, opening)
        assert opening + sum(lines) == end
        closing = end


def amount_in(field: str) -> str:
    """The signed amount of a balance or statement line."""
    if field.startswith(":61:"):
        body = field[14:]
        return ("-" if body[0] == "D" else "") + body[1:].split("NTRF")[0].replace(",", ".")
    return field.split("GBP")[1].replace(",", ".")


def test_the_story_has_what_it_promises(books: Books) -> None:
    invoices = books.invoices.values()
    assert {i.state for i in invoices} == {"posted", "void", "draft"}
    assert max(len(i.lines) for i in invoices) > EMBEDDED_LINES
    assert {p.status for p in books.payouts} == {"paid", "failed", "in_transit"}
    assert {d.outcome for d in books.disputes} == {"won", "lost"}
    assert any(len(p.applied) > 1 for p in books.payments)
    assert {on_stripe(p.customer) for p in books.payments} == {True, False}


def test_the_files_themselves_give_the_expected_trial_balance() -> None:
    """Read back as a stranger would: deleted documents out, every amount by account."""
    files, truth = make()
    rows = [r for name, body in files.items() for r in csv_rows(name, body, "netsuite/transactionaccountingline_")]
    gone = {r["recordid"] for r in csv_rows("netsuite/deletedrecord.csv", files["netsuite/deletedrecord.csv"], "")}
    balances: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["transaction"] not in gone:
            balances[row["account"]] += Decimal(row["amount"])
    told: dict[str, Decimal] = defaultdict(Decimal)
    for row in json.loads(truth)["trial_balance"]:
        told[row["account"]] += Decimal(row["balance"])
    assert sum(balances.values()) == 0
    assert balances == told


def csv_rows(name: str, body: str, prefix: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body))) if name.startswith(prefix) else []


def test_every_reference_between_the_systems_has_its_other_end() -> None:
    files, _ = make()

    def ids(name: str, column: str) -> set[str]:
        return {r[column] for f, body in files.items() for r in csv_rows(f, body, name) if r[column]}

    def stripe(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in files[f"stripe/{name}.jsonl"].splitlines()]

    native = {o["id"] for f in ("invoice", "charge", "refund", "credit_note") for o in stripe(f)}
    payouts = {o["id"] for o in json.loads(files["stripe/payout.json"])["data"]}
    opportunities = ids("salesforce/Opportunity.csv", "Id")
    assert ids("netsuite/transaction_", "externalid") <= native | payouts | opportunities
    assert ids("salesforce/Opportunity.csv", "ERP_Order_Id__c") <= ids("netsuite/transaction_", "id")
    assert ids("salesforce/Account_", "ERP_Customer_Id__c") == ids("netsuite/customer", "id")
    assert ids("salesforce/Account_", "Billing_Customer_Id__c") == {o["id"] for o in stripe("customer")}
    assert ids("netsuite/transactionaccountingline_", "account") <= ids("netsuite/account.csv", "id")
    assert ids("netsuite/transactionline_", "transaction") - ids("netsuite/transaction_", "id") == {"99999"}
    movements = {o["id"] for o in stripe("balance_transaction")}
    assert {o["balance_transaction"] for o in stripe("charge") if o["status"] == "succeeded"} <= movements
