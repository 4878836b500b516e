"""The figures, worked out a second time from canonical rows: plain Python over Decimal, no SQL beyond ``select *``.

Belongs here: bookings, billings, collections, AR aging and deferred revenue as DOMAIN.md section 3 defines them and
the marts describe themselves. Does not: how the models compute them. Nothing was copied from their SQL: a mistake must
be made twice.

The choices that a definition leaves open are the decisions 0010 to 0014 and 0021: one role is believed per kind of
record; the bookings of a deal sum to its stated amount; a void whose day is known is a reversal on that day, one
without a day never counted; an application counts when both of its documents do, in one currency, and not before both
exist; returned money comes out of what is unapplied first and then takes applications back, the newest first; a service
is earned by the day, whatever is not a service at issue.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
ZERO = Decimal(0)
BUCKETS = (("current_amount", 0), ("days_1_30_amount", 30), ("days_31_60_amount", 60), ("days_61_90_amount", 90),
           ("days_91_120_amount", 120))  # fmt: skip


def live(rows: Iterable[Row]) -> list[Row]:
    """Rows that their source has not deleted."""
    return [row for row in rows if not row["is_deleted"]]


def believed(rows: list[Row], key: str, roles: tuple[str, ...] = ("erp", "billing")) -> list[Row]:
    """Rows of the first role that has any."""
    for role in roles:
        own = [row for row in rows if row[key].startswith(f"{role}:")]
        if own:
            return own
    return []


def quarter(day: date) -> str:
    """The calendar quarter of a day."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


# ── bookings ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Booking:
    """A signed commitment: one line of a won opportunity, or what the opportunity states beyond its lines."""

    opportunity_id: str
    opportunity_line_id: str | None
    booked_on: date
    currency: str
    tcv: Decimal


def bookings(tables: Tables) -> list[Booking]:
    """All bookings: dated by countersignature, else by the close date; a deal's rows sum to its stated amount."""
    lines: dict[str, list[Row]] = defaultdict(list)
    for line in live(tables["opportunity_lines"]):
        lines[line["opportunity_id"]].append(line)
    found: list[Booking] = []
    for deal in live(tables["opportunities"]):
        if not deal["is_won"]:
            continue
        id_, day = deal["opportunity_id"], deal["signed_on"] or deal["closes_on"]
        own = lines[id_]
        found += [Booking(id_, x["opportunity_line_id"], day, x["currency"], x["total_amount"]) for x in own]
        stated = deal["amount"]
        left = (stated or ZERO) - sum((x["total_amount"] for x in own), ZERO)
        if not own or (stated is not None and left != 0):
            found.append(Booking(id_, None, day, deal["currency"], left))
    return found


# ── documents, money and what was applied to what ────────────────────────────────────────────────────────────────


@dataclass
class Item:
    """An open item: a document or a movement of money, with its signed effect on the receivable."""

    id: str
    kind: str
    customer_id: str | None
    legal_entity_id: str | None
    currency: str
    dated_on: date
    due_on: date | None
    effect: Decimal
    voided_on: date | None = None
    moves: list[tuple[date, Decimal]] = field(default_factory=list)  # what applications do to it

    def open_at(self, day: date) -> Decimal:
        """What is open at the end of a day."""
        if day < self.dated_on:
            return ZERO
        own = self.effect if self.voided_on is None or day < self.voided_on else ZERO
        return own + sum((amount for on, amount in self.moves if on <= day), ZERO)


def documents(tables: Tables) -> list[Row]:
    """Issued documents of the believed role; one voided on an unknown day never counted."""
    rows = believed(live(tables["invoices"]), "invoice_id")
    return [r for r in rows if r["status"] == "posted" or (r["status"] == "void" and r["voided_on"] is not None)]


def money(tables: Tables) -> list[Row]:
    """Succeeded movements of money of the believed role."""
    return [r for r in believed(live(tables["payments"]), "payment_id") if r["status"] == "succeeded"]


def direction(document: Row) -> int:
    """Invoices and debit memos add to billings and to the receivable, credit memos and write-offs take away."""
    return 1 if document["kind"] in ("invoice", "debit_memo") else -1


@dataclass(frozen=True)
class Applied:
    """An effective application: positive when made, negative when returned money takes it back."""

    kind: str
    from_id: str
    to_id: str
    on: date
    amount: Decimal


def open_items(tables: Tables) -> dict[str, Item]:
    """Every open item with all that happens to it."""
    items: dict[str, Item] = {}
    for r in documents(tables):
        items[r["invoice_id"]] = Item(
            r["invoice_id"], r["kind"], r["customer_id"], r["legal_entity_id"], r["currency"], r["issued_on"],
            r["due_on"], direction(r) * r["total_amount"], r["voided_on"] if r["status"] == "void" else None,
        )  # fmt: skip
    for r in money(tables):
        effect = -r["amount"] if r["kind"] == "payment" else r["amount"]
        items[r["payment_id"]] = Item(
            r["payment_id"],
            r["kind"],
            r["customer_id"],
            r["legal_entity_id"],
            r["currency"],
            r["paid_on"],
            None,
            effect,
        )
    for one in effective(tables, items):
        # What is applied and what it is applied to both come nearer to zero, from their own sides.
        sign = 1 if one.kind.endswith("_to_invoice") else -1
        items[one.from_id].moves.append((one.on, sign * one.amount))
        items[one.to_id].moves.append((one.on, -sign * one.amount))
    return items


def effective(tables: Tables, items: dict[str, Item]) -> list[Applied]:
    """Applications that count, and those that returned money takes back."""
    made = []
    for r in believed(live(tables["applications"]), "application_id"):
        a, b = items.get(r["from_id"]), items.get(r["to_id"])
        if a is None or b is None or len({a.currency, b.currency, r["currency"]}) > 1:
            continue
        made.append(Applied(r["kind"], a.id, b.id, max(r["applied_on"], a.dated_on, b.dated_on), r["amount"]))
    return made + _taken_back(made, items)


def _taken_back(made: list[Applied], items: dict[str, Item]) -> list[Applied]:
    back: list[Applied] = []
    of: dict[str, list[Applied]] = defaultdict(list)
    for one in made:
        if one.kind == "payment_to_invoice":
            of[one.from_id].append(one)
    returns = sorted((o for o in made if o.kind.endswith("_to_payment")), key=lambda o: (o.on, o.from_id))
    for payment in {o.to_id: None for o in returns}:
        amount = -items[payment].effect
        standing = sorted(of[payment], key=lambda o: (o.on, o.to_id), reverse=True)
        left = [o.amount for o in standing]
        returned = ZERO
        for one in (o for o in returns if o.to_id == payment):
            returned += one.amount
            excess = sum(left, ZERO) + returned - amount
            for i, applied in enumerate(standing):
                taken = max(ZERO, min(left[i], excess))
                if taken:
                    left[i] -= taken
                    excess -= taken
                    back.append(Applied("payment_to_invoice", payment, applied.to_id, max(one.on, applied.on), -taken))
    return back


# ── billings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def billings(tables: Tables) -> dict[tuple[str, date, bool], tuple[Decimal, Decimal]]:
    """(document, day, is a reversal) → (net, tax), signed; write-offs are no billings."""
    found: dict[tuple[str, date, bool], tuple[Decimal, Decimal]] = {}
    for r in documents(tables):
        if r["kind"] == "write_off":
            continue
        sign = direction(r)
        found[r["invoice_id"], r["issued_on"], False] = sign * r["net_amount"], sign * r["tax_amount"]
        if r["status"] == "void":
            found[r["invoice_id"], r["voided_on"], True] = -sign * r["net_amount"], -sign * r["tax_amount"]
    return found


# ── collections ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Collected:
    """One movement of money: amount = applied + unapplied + refunded + charged back."""

    on: date
    currency: str
    amount: Decimal
    applied: Decimal = ZERO
    refunded: Decimal = ZERO
    charged_back: Decimal = ZERO

    @property
    def unapplied(self) -> Decimal:
        """What is applied to nothing and was not returned."""
        return self.amount - self.applied - self.refunded - self.charged_back


def collections(tables: Tables) -> dict[str, Collected]:
    """Every movement of money by its key; what leaves is negative and is its own return."""
    found: dict[str, Collected] = {}
    for r in money(tables):
        sign = 1 if r["kind"] == "payment" else -1
        own = found[r["payment_id"]] = Collected(r["paid_on"], r["currency"], sign * r["amount"])
        if r["kind"] == "refund":
            own.refunded = own.amount
        elif r["kind"] == "chargeback":
            own.charged_back = own.amount
    for one in effective(tables, open_items(tables)):
        if one.kind == "payment_to_invoice":
            found[one.from_id].applied += one.amount
        elif one.kind == "refund_to_payment":
            found[one.to_id].refunded += one.amount
        elif one.kind == "chargeback_to_payment":
            found[one.to_id].charged_back += one.amount
    return found


# ── AR aging ─────────────────────────────────────────────────────────────────────────────────────────────────────


def column_of(item: Item, day: date) -> str:
    """The column of the aging an open item stands in at a day; without a due date it is due when it is made."""
    if item.kind in ("payment", "refund", "chargeback"):
        return "unapplied_amount"
    if item.kind in ("credit_memo", "write_off"):
        return "credit_amount"
    late = (day - (item.due_on or item.dated_on)).days
    return next((name for name, until in BUCKETS if late <= until), "days_over_120_amount")


def aging(tables: Tables, days: Iterable[date]) -> dict[tuple[date, str, str, str, str], Decimal]:
    """(date, entity, customer as recorded, currency, column) → amount, zeros left out."""
    entities = [r["legal_entity_id"] for r in live(tables["legal_entities"])]
    sole = entities[0] if len(entities) == 1 else "unassigned"
    items = open_items(tables).values()
    found: dict[tuple[date, str, str, str, str], Decimal] = defaultdict(Decimal)
    for day in days:
        for item in items:
            amount = item.open_at(day)
            if amount:
                place = item.legal_entity_id or sole
                found[day, place, item.customer_id or "", item.currency, column_of(item, day)] += amount
    return {key: amount for key, amount in found.items() if amount}


# ── revenue ──────────────────────────────────────────────────────────────────────────────────────────────────────

MINOR_UNITS = {"JPY": Decimal(1), "KWD": Decimal("0.001")}


def charge_kinds(tables: Tables) -> dict[str, str | None]:
    """How each product is charged, where all that say so of products of its code or name agree."""

    def word(text: str | None) -> str:
        return "".join(letter for letter in (text or "").upper() if letter.isalnum())

    products = live(tables["products"])
    codes: dict[str, set[str]] = defaultdict(set)
    for p in products:
        if word(p["name"]) and word(p["product_code"]):
            codes[word(p["name"])].add(word(p["product_code"]))

    def group(p: Row) -> str:
        shared = codes.get(word(p["name"]), set())
        return min(shared) if len(shared) == 1 else word(p["product_code"]) or word(p["name"]) or p["product_id"]

    kinds: dict[str, set[str]] = defaultdict(set)
    for p in products:
        if p["charge_kind"]:
            kinds[group(p)].add(p["charge_kind"])
    found = {p["product_id"]: kinds[group(p)] for p in products}
    return {id_: next(iter(said)) if len(said) == 1 else None for id_, said in found.items()}


def is_spread(line: Row, document: Row, kind: str | None) -> bool:
    """Whether a line is earned by the day (decision 0021)."""
    start, end = line["service_starts_on"], line["service_ends_on"]
    if start is None or end is None or end < start or kind == "one_time":
        return False
    return bool(kind == "recurring" or end > document["issued_on"])


def posted_from(head: Row, periods: dict[str, Row]) -> date:
    """The first day of the period a document was posted in, where that is another than its date's; else its date."""
    period, issued = periods.get(head["accounting_period_id"]), head["issued_on"]
    is_elsewhere = period is not None and not period["starts_on"] <= issued <= period["ends_on"]
    return period["starts_on"] if period is not None and is_elsewhere else issued


def deferred_at(tables: Tables, end: date, day: date) -> dict[tuple[str, str], Decimal]:
    """(entity, currency) → posted in periods up to `end` and not earned by the end of a day; zeros left out.

    Only lines that are earned by the day and services without dates leave anything open.
    """
    entities = [r["legal_entity_id"] for r in live(tables["legal_entities"])]
    sole = entities[0] if len(entities) == 1 else "unassigned"
    heads = {r["invoice_id"]: r for r in documents(tables) if r["kind"] != "write_off"}
    periods = {r["accounting_period_id"]: r for r in live(tables["accounting_periods"]) if r["kind"] == "period"}
    kinds = charge_kinds(tables)
    lines = [x for x in live(tables["invoice_lines"]) if x["invoice_id"] in heads]
    services = undated_services(lines, heads, kinds)
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        head = heads[line["invoice_id"]]
        if head["status"] == "void" and head["voided_on"] <= day:
            continue
        place, sign = (head["legal_entity_id"] or sole, head["currency"]), direction(head)
        is_undated = line["invoice_line_id"] in services
        if not is_undated and not is_spread(line, head, kinds.get(line["product_id"])):
            continue
        if posted_from(head, periods) <= end and head["issued_on"] <= day:
            found[place] += sign * line["net_amount"]
        if not is_undated and head["issued_on"] <= day:
            found[place] -= sign * earned(line, day, head["currency"])
    return {key: amount for key, amount in found.items() if amount}


def earned(line: Row, day: date, currency: str) -> Decimal:
    """What of a line is served by the end of a day: days over days, to the minor unit, half away from zero."""
    whole = (line["service_ends_on"] - line["service_starts_on"]).days + 1
    served = (day - line["service_starts_on"]).days + 1
    if served <= 0:
        return ZERO
    if served >= whole:
        return Decimal(line["net_amount"])
    unit = MINOR_UNITS.get(currency, Decimal("0.01"))
    exact = Fraction(line["net_amount"]) * served / whole / Fraction(unit)
    nearest = int(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
    return nearest * unit


def undated_services(lines: list[Row], heads: dict[str, Row], kinds: dict[str, str | None]) -> set[str]:
    """Lines of a service that lack dates: called recurring, or of a product nine in ten of whose lines have dates."""
    own = [
        x for x in lines if heads[x["invoice_id"]]["kind"] == "invoice"
        and heads[x["invoice_id"]]["status"] == "posted" and x["net_amount"] > 0
    ]  # fmt: skip

    def is_dated(x: Row) -> bool:
        return x["service_starts_on"] is not None and x["service_ends_on"] is not None

    if not any(map(is_dated, own)):
        return set()
    counts: dict[str | None, list[bool]] = defaultdict(list)
    for x in own:
        counts[x["product_id"]].append(is_dated(x))

    def is_service(product: str | None) -> bool:
        kind, dated = kinds.get(product or ""), counts[product]
        return kind == "recurring" or (kind is None and sum(dated) * 10 >= len(dated) * 9)

    return {x["invoice_line_id"] for x in own if not is_dated(x) and is_service(x["product_id"])}
