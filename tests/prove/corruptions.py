"""Single cells of good extracts changed blindly: an amount, a date, a currency, a customer, or the record itself.

Belongs here: which cells are changed, what each means, and so which codes may name it.  Does not belong here: planted
faults of the demo, which look like what people do (``finpipe.demo.faults``), and running the pipeline.

A kind says of one column of one table who contradicts it: the counterpart in another system, the other side of a
posting, or the balance it is part of.  From that follow the codes.  Each corruption stands alone: no two touch the same
chain of documents, so that each is judged by its own records.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]
Chosen = Callable[[Row], bool]

INVOICE = frozenset({"INV-AMOUNT", "INV-TAX"})
PAID = frozenset({"PAY-SHORT", "PAY-OVER", "PAY-FEE"})
GONE = frozenset({"DEL-UNSEEN", "DQ-RULE"})


@dataclass(frozen=True)
class Kind:
    """One column of one table and how it is corrupted. ``column`` is empty where the record goes away."""

    table: str
    column: str
    what: str  # amount, date, currency, customer, existence
    codes: frozenset[str]
    only: Chosen = lambda _: True

    @property
    def name(self) -> str:
        """How it is told apart in a report."""
        return f"{self.what} {self.table}.{self.column or 'record'}"


@dataclass(frozen=True)
class Corruption:
    """One corrupted record: where it is, how the queue may name it, and what was done."""

    kind: Kind
    record: str
    names: frozenset[str]
    before: str
    after: str

    def is_named(self, code: str, names: frozenset[str]) -> bool:
        """Whether an exception with this code names the record."""
        return code in self.kind.codes and bool(names & self.names)


def _cell(row: Row, column: str) -> Any:
    """A cell, through members of members."""
    for step in column.split("."):
        row = row[step]
    return row


def _type(*types: str, **more: str) -> Chosen:
    return lambda row: row.get("type") in types and all(row.get(k) == v for k, v in more.items())


def _billed(kind: str) -> Chosen:
    """Documents of the ERP that billing has, too, and that are not void."""
    return lambda row: row["type"] == kind and bool(row["externalid"]) and row["voided"] == "F"


#: The last day that the company tells of.
LAST = datetime(2024, 12, 31, tzinfo=UTC)
TRANSACTION, LINE, POSTING = (
    "netsuite/transaction.csv",
    "netsuite/transactionline.csv",
    "netsuite/transactionaccountingline.csv",
)
LINK, BANK = "netsuite/nexttransactionlinelink.csv", "bank/statement.csv"
WON: Chosen = lambda row: row["IsWon"] == "true"  # noqa: E731
PAYOUT = frozenset({"CTRL-TOTAL", "PAYOUT-TRANSIT", "BANK-UNKNOWN", "PAY-MISSING"}) | PAID
STATED = frozenset({"SEQ", "CTRL-TOTAL"})


def _kinds() -> list[Kind]:
    unbalanced = frozenset({"JE-UNBALANCED"})
    vanished = GONE | {"CTRL-TOTAL", "PAY-MISSING"}
    unlinked = frozenset({"PAY-UNAPPLIED", "REF-UNLINKED"})
    of_period = frozenset({"INV-PERIOD", "LATE-DATA"})
    of_order = frozenset({"ORD-VALUE", "ORD-MISSING"})
    booked = frozenset({"ORD-VALUE", "CTRL-TOTAL"})
    status_paid: Chosen = lambda row: row["status"] in ("paid", "succeeded")  # noqa: E731
    return [
        # ── amounts
        Kind(TRANSACTION, "foreigntotal", "amount", INVOICE, _billed("CustInvc")),
        Kind(TRANSACTION, "foreigntotal", "amount", PAID, _billed("CustPymt")),
        Kind(TRANSACTION, "foreigntotal", "amount", INVOICE, _billed("CustCred")),
        Kind(TRANSACTION, "foreigntotal", "amount", of_order, _type("SalesOrd")),
        Kind(POSTING, "amount", "amount", unbalanced),
        Kind(LINK, "foreignamount", "amount", PAID | INVOICE | {"PAY-UNAPPLIED", "CTRL-TOTAL", "REF-UNLINKED"},
             lambda row: row["linktype"] == "Payment"),
        Kind("salesforce/Opportunity.csv", "Amount", "amount", booked, WON),
        Kind("stripe/invoice.jsonl", "total", "amount", INVOICE, status_paid),
        Kind("stripe/charge.jsonl", "amount_captured", "amount", PAID, status_paid),
        Kind("stripe/balance_transaction.jsonl", "amount", "amount", PAID | {"CTRL-TOTAL"}, _type("charge", "refund")),
        Kind("stripe/balance_transaction.jsonl", "net", "amount", PAID | {"CTRL-TOTAL"}, _type("charge")),
        Kind("stripe/payout.jsonl", "amount", "amount", PAYOUT, status_paid),
        Kind("stripe/credit_note.jsonl", "total", "amount", INVOICE),
        Kind("stripe/refund.jsonl", "amount", "amount", PAID, status_paid),
        Kind(BANK, "amount", "amount", STATED | PAID | {"BANK-UNKNOWN"}),
        # ── dates
        Kind(TRANSACTION, "trandate", "date", frozenset({"INV-PERIOD"}), _billed("CustInvc")),
        Kind("stripe/invoice.jsonl", "status_transitions.finalized_at", "date", of_period, status_paid),
        Kind("salesforce/Opportunity.csv", "Signed_Date__c", "date", frozenset({"ORD-LATE", "SEQ"}), WON),
        Kind(TRANSACTION, "trandate", "date", frozenset({"ORD-LATE", "SEQ"}), _type("SalesOrd")),
        Kind(BANK, "booking_date", "date", STATED | {"BANK-UNKNOWN", "PAY-MISSING"}),
        # ── currencies
        Kind(TRANSACTION, "currency", "currency", frozenset({"INV-CCY"}), _billed("CustInvc")),
        Kind(TRANSACTION, "currency", "currency", PAID | {"INV-CCY", "PAY-MISSING"}, _billed("CustPymt")),
        Kind("stripe/invoice.jsonl", "currency", "currency", frozenset({"INV-CCY"}), status_paid),
        Kind("stripe/charge.jsonl", "currency", "currency", PAID | {"INV-CCY", "PAY-MISSING"}, status_paid),
        Kind("salesforce/Opportunity.csv", "CurrencyIsoCode", "currency", booked, WON),
        Kind(BANK, "currency", "currency", STATED | PAID | {"BANK-UNKNOWN", "PAY-MISSING"}),
        # ── customers
        Kind(TRANSACTION, "entity", "customer", frozenset({"PAY-WRONG-CUST"}), _billed("CustPymt")),
        Kind(TRANSACTION, "entity", "customer", frozenset({"INV-WRONG-CUST"}), _billed("CustInvc")),
        Kind("stripe/invoice.jsonl", "customer", "customer", frozenset({"INV-WRONG-CUST"}), status_paid),
        Kind("stripe/charge.jsonl", "customer", "customer", frozenset({"PAY-WRONG-CUST"}), status_paid),
        Kind("salesforce/Opportunity.csv", "AccountId", "customer", frozenset({"ORD-TERMS"}), WON),
        # ── existence
        Kind(TRANSACTION, "", "existence", GONE | {"INV-MISSING-ERP"}, _billed("CustInvc")),
        Kind(TRANSACTION, "", "existence", GONE | {"PAY-MISSING"}, _billed("CustPymt")),
        Kind(TRANSACTION, "", "existence", GONE | {"ORD-MISSING"}, _type("SalesOrd")),
        Kind(POSTING, "", "existence", unbalanced),
        Kind(LINK, "", "existence", unlinked, lambda row: row["linktype"] == "Payment"),
        Kind("stripe/invoice.jsonl", "", "existence", GONE | {"INV-MISSING-BILL"}, status_paid),
        Kind("stripe/charge.jsonl", "", "existence", GONE | {"PAY-MISSING"}, status_paid),
        Kind("stripe/balance_transaction.jsonl", "", "existence", vanished, _type("charge")),
        Kind("stripe/payout.jsonl", "", "existence", GONE | {"BANK-UNKNOWN", "CTRL-TOTAL", "PAY-MISSING"}, status_paid),
        Kind("stripe/credit_note.jsonl", "", "existence", GONE | {"INV-MISSING-BILL"}),
        Kind("stripe/refund.jsonl", "", "existence", GONE | {"PAY-MISSING"}, status_paid),
        Kind("salesforce/Opportunity.csv", "", "existence", GONE | {"ORD-MISSING"}, WON),
        Kind(BANK, "", "existence", STATED | {"PAY-MISSING"}),
    ]  # fmt: skip


KINDS = tuple(_kinds())


@dataclass
class Extracts:
    """All extracts of a company in memory, to be changed and written again."""

    folder: Path
    tables: dict[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Extracts":
        """Read every extract below ``folder``."""
        found = cls(folder)
        for path in sorted(folder.glob("*/*")):
            name = f"{path.parent.name}/{path.name}"
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file)) if path.suffix == ".csv" else [json.loads(line) for line in file]
            found.tables[name] = rows
        return found

    def write(self, folder: Path) -> None:
        """Write every extract below another folder, as it was but for what changed."""
        for name, rows in self.tables.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8", newline="") as file:
                if path.suffix == ".csv":
                    header = (self.folder / name).read_text(encoding="utf-8").split("\n", 1)[0].split(",")
                    writer = csv.DictWriter(file, header, lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(rows)
                else:
                    file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)

    def corrupt(self, count: int, random: Random, kinds: tuple[Kind, ...] = KINDS) -> list[Corruption]:
        """Corrupt ``count`` independent records, each kind as often as any other while it has records left."""
        chains, taken, done = _Chains(self.tables), set[str](), list[Corruption]()
        waiting: dict[str, list[tuple[Kind, Row]]] = defaultdict(list)
        for number, kind in enumerate(kinds):
            rows = [
                row
                for row in self.tables[kind.table]
                if kind.only(row) and (not kind.column or _cell(row, kind.column))
            ]
            random.shuffle(rows)
            waiting[f"{number:03}"] = [(kind, row) for row in rows]
        while len(done) < count and any(waiting.values()):
            for left in waiting.values():
                while left and len(done) < count:
                    kind, row = left.pop()
                    names = chains.of(kind.table, row, steps=1)
                    if names.isdisjoint(taken):
                        taken |= chains.of(kind.table, row, steps=2)
                        done.append(self._change(kind, row, names, random))
                        break
        return done

    def _change(self, kind: Kind, row: Row, chain: frozenset[str], random: Random) -> Corruption:
        before = str(_cell(row, kind.column)) if kind.column else ""
        if not kind.column:
            self.tables[kind.table] = [r for r in self.tables[kind.table] if r is not row]
        else:
            path, _, last = kind.column.rpartition(".")
            (_cell(row, path) if path else row)[last] = self._otherwise(kind, row, random)
        after = str(_cell(row, kind.column)) if kind.column else "gone"
        return Corruption(kind, _record(kind.table, row), chain, before, after)

    def _otherwise(self, kind: Kind, row: Row, random: Random) -> Any:
        value = _cell(row, kind.column)
        if kind.what == "amount":
            return _other_amount(value, random)
        if kind.what == "date":
            return _other_day(value)
        if kind.what == "currency":
            return _other_currency(str(value))
        others = sorted({str(r[kind.column]) for r in self.tables[kind.table] if r[kind.column]} - {value})
        return random.choice(others)


def _other_currency(value: str) -> str:
    """Pounds, or dollars where it was pounds, as the system writes currencies."""
    choice = ("2", "1") if value.isdigit() else ("gbp", "usd") if value.islower() else ("GBP", "USD")
    return next(c for c in choice if c != value)


def _other_amount(value: Any, random: Random) -> Any:
    """More or less by between a tenth and a half, and never by less than a whole unit."""
    if isinstance(value, int):
        return value + (abs(value) // random.randint(2, 10) + 100) * random.choice((1, -1))
    places = len(value.partition(".")[2])
    more = (abs(Decimal(value)) / random.randint(2, 10) + 1) * random.choice((1, -1))
    return str((Decimal(value) + more).quantize(Decimal(1).scaleb(-places)))


def _other_day(value: Any) -> Any:
    """A hundred days away, in another quarter: later, or earlier where that would lie beyond the cut."""
    if isinstance(value, int):
        return value + 100 * 86_400 * (1 if value + 100 * 86_400 < LAST.timestamp() else -1)
    later = date.fromisoformat(value) + timedelta(days=100)
    return str(later if later <= LAST.date() else later - timedelta(days=200))


_ROLES = {"netsuite": "erp", "stripe": "billing", "salesforce": "crm"}


def _record(table: str, row: Row) -> str:
    if table == BANK:
        return f"bank:{row['account_id']}:{row['statement_id']}:{row['line_number']}"
    if table == LINK:
        return f"erp:{row['previousdoc']} → erp:{row['nextdoc']}"
    own = row.get("transaction") or row.get("id") or row.get("Id")
    return f"{_ROLES[table.partition('/')[0]]}:{own}"


class _Chains:
    """Documents that hang together, by the names that the queue has for them."""

    def __init__(self, tables: dict[str, list[Row]]) -> None:
        self.near: dict[str, set[str]] = defaultdict(set)
        for row in tables[TRANSACTION]:
            own = f"erp:{row['id']}"
            role = "crm" if row["type"] == "SalesOrd" else "billing"
            self._tie(own, f"{role}:{row['externalid']}" if row["externalid"] else "")
        for row in tables[LINK]:
            self._tie(f"erp:{row['previousdoc']}", f"erp:{row['nextdoc']}")
        for row in tables["salesforce/Order.csv"]:
            self._tie(f"crm:{row['Id']}", f"crm:{row['OpportunityId']}")
        for name, column in (("balance_transaction", "source"), ("refund", "charge"), ("credit_note", "invoice")):
            for row in tables[f"stripe/{name}.jsonl"]:
                self._tie(f"billing:{row['id']}", f"billing:{row[column]}" if row[column] else "")
        for row in tables["stripe/balance_transaction.jsonl"]:
            self._tie(f"billing:{row['id']}", f"billing:{row['payout']}" if row.get("payout") else "")
        self.balances = _balances(tables[BANK])
        for row in tables["stripe/payout.jsonl"]:
            self._tie(f"billing:{row['id']}", f"bank {row['trace_id']['value']}" if row.get("trace_id") else "")
        for row in tables[BANK]:
            self._tie(_record(BANK, row), f"bank {row['end_to_end_reference']}")

    def _tie(self, one: str, other: str) -> None:
        if other:
            self.near[one].add(other)
            self.near[other].add(one)

    def of(self, table: str, row: Row, steps: int) -> frozenset[str]:
        """Every name within some steps of a record: itself and its counterparts, then what hangs on those."""
        starts = _record(table, row).split(" → ")
        found, edge = set(starts), set(starts)
        for _ in range(steps):
            edge = {n for name in edge for n in self.near[name]} - found
            found |= edge
        return frozenset(found | (self.balances[row["statement_id"]] if table == BANK else set()))


def _balances(lines: list[Row]) -> dict[str, set[str]]:
    """A line is part of balances: its account's on the days of its statement, and of the next, which starts from it."""
    days: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in lines:
        days[row["account_id"]][row["statement_id"]].add(f"{row['account_id']}/{row['currency']}@{row['booking_date']}")
    found: dict[str, set[str]] = {}
    for statements in days.values():
        ordered = sorted(statements)
        for one, following in zip(ordered, [*ordered[1:], ordered[-1]], strict=True):
            found[one] = statements[one] | statements[following] | {f"statement {one}"}
    return found
