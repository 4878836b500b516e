"""The script of the sample company: who sells what to whom, and what then goes wrong.

Only facts stand here, as data. `books.py` turns them into documents; the `write_*` modules give them
each system's native shape. Every name is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

FIRST, LAST = date(2024, 1, 1), date(2025, 6, 30)
NEW_STRIPE_API = date(2025, 3, 31)  # from here on invoices are paid through InvoicePayment


@dataclass(frozen=True)
class Entity:
    """One legal entity; `number` is its NetSuite subsidiary id."""

    number: int
    name: str
    legal_name: str
    country: str
    functional: str


US = Entity(1, "Quillmark US", "Quillmark Inc.", "US", "USD")
UK = Entity(2, "Quillmark UK", "Quillmark Ltd", "GB", "GBP")
ENTITY_OF_CURRENCY = {"USD": US, "JPY": US, "GBP": UK, "EUR": UK}
CURRENCIES = ["USD", "GBP", "EUR", "JPY"]  # NetSuite ids 1 to 4
OPENING_BALANCE = {"USD": "250000.00", "GBP": "80000.00", "EUR": "40000.00", "JPY": "5000000"}

# US dollars for one unit on the first of each month, 2024-01 to 2025-07 (the last one only closes June).
# fmt: off
USD_PER = {
    "GBP": (
        "1.2731", "1.2688", "1.2655", "1.2567", "1.2523", "1.2741",
        "1.2648", "1.2840", "1.3129", "1.3383", "1.2899", "1.2725",
        "1.2516", "1.2448", "1.2579", "1.2916", "1.3355", "1.3497",
        "1.3731",
    ),
    "EUR": (
        "1.1039", "1.0812", "1.0805", "1.0740", "1.0712", "1.0848",
        "1.0713", "1.0826", "1.1050", "1.1135", "1.0884", "1.0577",
        "1.0354", "1.0363", "1.0388", "1.0816", "1.1328", "1.1347",
        "1.1787",
    ),
    "JPY": (
        "0.007092", "0.006803", "0.006662", "0.006605", "0.006338", "0.006357",
        "0.006203", "0.006668", "0.006842", "0.006955", "0.006575", "0.006676",
        "0.006358", "0.006446", "0.006637", "0.006675", "0.006985", "0.006944",
        "0.006943",
    ),
}
# fmt: on


def month_number(on: date) -> int:
    """0 for January 2024."""
    return (on.year - FIRST.year) * 12 + on.month - 1


def spot(base: str, currency: str, on: date) -> Decimal:
    """Units of `base` for one `currency` on the first of the date's month."""
    if base == currency:
        return Decimal(1)
    month = month_number(on)
    dollars = Decimal(1) if currency == "USD" else Decimal(USD_PER[currency][month])
    if base == "USD":
        return dollars
    return (dollars / Decimal(USD_PER[base][month])).quantize(Decimal("0.000001"))


@dataclass(frozen=True)
class Customer:
    """A customer, or (channel `none`) a prospect that only the CRM knows."""

    key: str
    name: str
    currency: str
    country: str
    channel: str  # stripe, wire or none
    tax_pct: str = "0"
    parent: str | None = None
    domain: str = ""
    since: date = date(2024, 1, 2)


CUSTOMERS = [
    Customer("NOR", "Northlark Logistics Inc", "USD", "US", "stripe", domain="northlark.example"),
    Customer("FRE", "Northlark Freight Inc", "USD", "US", "stripe", parent="NOR", domain="freight.northlark.example"),
    Customer("BRI", "Brindlewood Foods Inc", "USD", "US", "stripe", "8.25", domain="brindlewood.example"),
    Customer("TAV", "Tavarian Health Inc", "USD", "US", "stripe", domain="tavarian.example"),
    Customer("COP", "Copperfen Media Inc", "USD", "US", "stripe", domain="copperfen.example"),
    Customer("VEL", "Velmora Robotics Inc", "USD", "US", "wire", domain="velmora.example"),
    Customer("KES", "Kestrelmoor Energy Inc", "USD", "US", "wire", domain="kestrelmoor.example"),
    Customer("HOS", "Hoshimura Seiki KK", "JPY", "JP", "stripe", "10", domain="hoshimura.example"),
    Customer("AOM", "Aomizu Denshi KK", "JPY", "JP", "wire", "10", domain="aomizu.example"),
    Customer("PEN", "Pennywharf Retail Ltd", "GBP", "GB", "stripe", "20", domain="pennywharf.example"),
    Customer("THI", "Thistlecombe Clinics Ltd", "GBP", "GB", "stripe", "20", domain="thistlecombe.example"),
    Customer("QUA", "Quenby Foundry Ltd", "GBP", "GB", "wire", "20", domain="quenby.example"),
    Customer("LIN", "Lindenschlag Maschinen GmbH", "EUR", "DE", "stripe", domain="lindenschlag.example"),
    Customer("VAL", "Valdoria Cosmetica SRL", "EUR", "IT", "stripe", domain="valdoria.example"),
    Customer("PIR", "Pennywharf Ireland DAC", "EUR", "IE", "wire", parent="PEN", domain="ie.pennywharf.example"),
    Customer("DUN", "Dunmarrow Textiles Ltd", "GBP", "GB", "none", domain="dunmarrow.example"),
]
CUSTOMER = {c.key: c for c in CUSTOMERS}
RENAMED = ("COP", "Cobaltfen Media Inc", date(2024, 12, 2))  # old name, day of the new one; the ERP keeps the old
MERGED = ("BRI", "Brindlewood Food (duplicate)", date(2024, 10, 15))  # the CRM's duplicate of Brindlewood


@dataclass(frozen=True)
class Product:
    """A thing sold: charged every month, or once."""

    key: str
    name: str
    family: str
    recurring: bool


PRODUCTS = [
    Product("PLAT", "Platform", "Subscription", True),
    Product("SEAT", "User seat", "Subscription", True),
    Product("SUPP", "Premium support", "Subscription", True),
    Product("ONBO", "Onboarding", "Services", False),
    Product("TRAI", "Training day", "Services", False),
    Product("SKIT", "Sensor kit", "Hardware", False),
]
PRODUCT = {p.key: p for p in PRODUCTS}


@dataclass(frozen=True)
class Item:
    """One line of a deal. `price` is per unit, and per month when recurring; a ramp step starts `after` months."""

    product: str
    quantity: int
    price: str
    discount_pct: str = "0"
    after: int = 0
    months: int | None = None
    note: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Deal:
    """One opportunity; a won one is billed every `every` months in advance (0: once)."""

    key: str
    customer: str
    name: str
    kind: str
    closed: date
    signed: date | None
    start: date
    term: int
    every: int
    items: tuple[Item, ...]
    stage: str = "Closed Won"
    deleted: bool = False
    ordered: bool = True


def _d(key: str, name: str, kind: str, days: str, term: int, every: int, *items: Item, **more: object) -> Deal:
    """`days` is `closed signed start`; `-` means that no countersignature is known."""
    closed, signed, start = (None if d == "-" else date.fromisoformat(d) for d in days.split())
    assert closed
    assert start
    return Deal(key, key[:3], name, kind, closed, signed, start, term, every, items, **more)  # type: ignore[arg-type]


STORES = (2, 3, 1, 4, 2, 2, 5, 1, 3, 2, 4, 6)  # sensor kits per Pennywharf store: a 12-line invoice
# fmt: off
DEALS = [
    _d("TAV1", "Tavarian platform", "New Business", "2024-01-10 2024-01-12 2024-01-15", 12, 3,
       Item("PLAT", 1, "1100"), Item("SEAT", 10, "19")),
    _d("NOR1", "Northlark platform", "New Business", "2024-01-22 2024-01-25 2024-02-01", 12, 1,
       Item("PLAT", 1, "1000"), Item("SEAT", 15, "18.50"), Item("ONBO", 1, "1500"),
       Item("TRAI", 1, "1200", note="dropped in negotiation", deleted=True)),
    _d("VEL1", "Velmora platform, two years", "New Business", "2024-01-24 2024-01-29 2024-02-01", 24, 12,
       Item("PLAT", 1, "2500"), Item("SUPP", 1, "400")),
    _d("THI1", "Thistlecombe platform", "New Business", "2024-02-20 2024-02-26 2024-03-01", 12, 3,
       Item("PLAT", 1, "900"), Item("SEAT", 25, "14.50"), Item("ONBO", 1, "1200")),
    _d("BRI1", "Brindlewood platform, two years", "New Business", "2024-03-04 2024-03-11 2024-03-15", 24, 12,
       Item("PLAT", 1, "1500"), Item("SEAT", 40, "17.25"), Item("ONBO", 1, "3000")),
    _d("FRE1", "Northlark Freight platform", "New Business", "2024-03-20 - 2024-04-01", 12, 3,
       Item("PLAT", 1, "800", "10"), Item("SUPP", 1, "150")),
    _d("HOS1", "Hoshimura platform", "New Business", "2024-03-29 2024-04-01 2024-04-01", 12, 3,
       Item("PLAT", 1, "120000"), Item("SEAT", 10, "2500")),
    _d("KES1", "Kestrelmoor platform", "New Business", "2024-04-18 2024-04-24 2024-05-01", 12, 3,
       Item("PLAT", 1, "1800", "5"), Item("SUPP", 1, "250")),
    _d("LIN1", "Lindenschlag platform, two years", "New Business", "2024-05-06 2024-05-10 2024-05-15", 24, 12,
       Item("PLAT", 1, "1300"), Item("SEAT", 35, "16.20", "8")),
    _d("AOM1", "Aomizu platform", "New Business", "2024-05-21 2024-05-27 2024-06-01", 12, 12,
       Item("PLAT", 1, "150000")),
    _d("COP1", "Cobaltfen platform", "New Business", "2024-06-27 2024-07-01 2024-07-01", 12, 1,
       Item("PLAT", 1, "650"), Item("SEAT", 5, "19")),
    _d("QUA1", "Quenby platform", "New Business", "2024-06-20 - 2024-07-01", 12, 12, Item("PLAT", 1, "850")),
    _d("VAL1", "Valdoria platform", "New Business", "2024-07-22 2024-07-26 2024-08-01", 12, 3,
       Item("PLAT", 1, "950"), Item("SEAT", 8, "17")),
    _d("BRI2", "Brindlewood training", "Existing Business", "2024-09-03 2024-09-05 2024-09-10", 0, 0,
       Item("TRAI", 2, "1250")),
    _d("PEN1", "Pennywharf platform with ramp", "New Business", "2024-09-17 2024-09-24 2024-10-01", 12, 1,
       Item("PLAT", 1, "700"), Item("SEAT", 20, "15.35", months=6), Item("SEAT", 30, "15.35", after=6, months=6)),
    _d("VEL2", "Velmora sensor kits", "Existing Business", "2024-10-01 - 2024-10-07", 0, 0, Item("SKIT", 25, "180")),
    _d("PEN2", "Pennywharf store kits", "Existing Business", "2024-11-04 2024-11-06 2024-11-12", 0, 0,
       *(Item("SKIT", n, "145", note=f"Store {i:02d}") for i, n in enumerate(STORES, 1))),
    _d("LIN2", "Lindenschlag sensor kits", "Existing Business", "2024-12-02 2024-12-04 2024-12-09", 0, 0,
       Item("SKIT", 20, "165")),
    _d("NOR2", "Northlark renewal", "Renewal", "2025-01-14 2025-01-20 2025-02-01", 12, 1,
       Item("PLAT", 1, "1050"), Item("SEAT", 20, "18.50")),
    _d("VEL3", "Velmora seats", "Existing Business", "2025-01-20 2025-01-27 2025-02-01", 12, 12,
       Item("SEAT", 30, "17")),
    _d("PIR1", "Pennywharf Ireland platform", "New Business", "2025-01-23 2025-01-28 2025-02-01", 12, 12,
       Item("PLAT", 1, "600")),
    _d("QUA2", "Quenby training", "Existing Business", "2025-02-10 - 2025-02-17", 0, 0, Item("TRAI", 3, "950")),
    _d("THI2", "Thistlecombe renewal, fewer seats", "Renewal", "2025-02-18 2025-02-24 2025-03-01", 12, 3,
       Item("PLAT", 1, "900"), Item("SEAT", 12, "14.50")),
    _d("FRE2", "Northlark Freight renewal", "Renewal", "2025-03-20 2025-03-25 2025-04-01", 12, 3,
       Item("PLAT", 1, "800"), Item("SUPP", 1, "150")),
    _d("HOS2", "Hoshimura renewal", "Renewal", "2025-03-24 2025-03-28 2025-04-01", 12, 3,
       Item("PLAT", 1, "126000"), Item("SEAT", 10, "2500")),
    _d("KES2", "Kestrelmoor renewal", "Renewal", "2025-04-15 2025-04-22 2025-05-01", 12, 3,
       Item("PLAT", 1, "1900"), Item("SUPP", 1, "250")),
    _d("AOM2", "Aomizu renewal", "Renewal", "2025-05-20 2025-05-26 2025-06-01", 12, 12, Item("PLAT", 1, "155000")),
    _d("VAL2", "Valdoria more seats", "Existing Business", "2025-06-20 2025-06-24 2025-07-01", 12, 3,
       Item("SEAT", 12, "17"), ordered=False),
    _d("TAV2", "Tavarian renewal", "Renewal", "2025-01-10 - 2025-01-15", 12, 3,
       Item("PLAT", 1, "1100"), stage="Closed Lost", ordered=False),
    _d("DUN1", "Dunmarrow pilot", "New Business", "2024-08-30 - 2024-09-15", 12, 1,
       Item("PLAT", 1, "500"), stage="Closed Lost", ordered=False),
    _d("HOS3", "Hoshimura second plant", "Existing Business", "2025-08-29 - 2025-09-01", 12, 3,
       Item("PLAT", 1, "90000"), stage="Proposal", ordered=False),
    _d("DUN2", "Dunmarrow platform", "New Business", "2025-07-31 - 2025-08-15", 12, 1,
       Item("PLAT", 1, "550"), stage="Negotiation", ordered=False),
    _d("NOR9", "Northlark platform (entered twice)", "New Business", "2024-01-22 - 2024-02-01", 12, 1,
       Item("PLAT", 1, "1000"), deleted=True, ordered=False),
    _d("PEN9", "Pennywharf test", "Existing Business", "2025-03-31 - 2025-04-01", 12, 1,
       Item("SEAT", 1, "15.35"), stage="Prospecting", deleted=True, ordered=False),
]
# fmt: on
DEAL = {d.key: d for d in DEALS}

# Invoices are named <deal>-<nn> in order of billing. Stripe charges an invoice the day after it is issued, unless:
# (day, amount or "rest", outcome) for each attempt; no attempt leaves it open.
ATTEMPTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "NOR1-06": (("2024-07-02", "rest", "failed"), ("2024-07-05", "rest", "succeeded")),
    "PEN2-01": (("2024-11-13", "3000.00", "succeeded"), ("2024-11-27", "rest", "succeeded")),
    "THI1-03": (("2024-09-10", "rest", "succeeded"),),
    "FRE2-01": (),
    "VAL1-04": (("2025-05-06", "1000.00", "succeeded"),),
    "THI2-02": (("2025-06-03", "1800.00", "succeeded"), ("2025-06-17", "rest", "succeeded")),
    "COP1-12": (),
}
DUPLICATE_CHARGE = ("NOR1-10", date(2024, 11, 3), date(2024, 11, 8))  # charged twice, without invoice; refunded
DISPUTES = [  # invoice, opened, closed, outcome, fee
    ("COP1-04", date(2024, 11, 5), date(2024, 12, 10), "lost", "15.00"),
    ("PEN1-03", date(2025, 1, 10), date(2025, 2, 20), "won", "20.00"),
]
VOIDED = ("COP1", date(2024, 8, 5), date(2024, 8, 20))  # an extra seat invoice, voided in both systems
DRAFT = ("HOS2", date(2025, 6, 25))  # never finalised: only in Stripe
FAILED_PAYOUT = ("EUR", date(2024, 12, 4), date(2024, 12, 6))
FINAL_PAYOUT = ("USD", date(2025, 6, 27))  # created, but not at the bank by the end: in transit

# Direct wires: day, invoices, amount or "rest", paid on top.
WIRES: list[tuple[str, tuple[str, ...], str, str]] = [
    ("2024-03-01", ("VEL1-01",), "rest", "0"),
    ("2024-06-03", ("KES1-01",), "rest", "0"),
    ("2024-07-16", ("AOM1-01",), "rest", "0"),
    ("2024-08-09", ("QUA1-01",), "rest", "250.00"),
    ("2025-01-10", ("KES1-02", "KES1-03"), "rest", "0"),
    ("2025-01-13", ("VEL2-01",), "rest", "0"),
    ("2025-03-03", ("VEL3-01",), "rest", "0"),
    ("2025-03-05", ("VEL1-02",), "20000.00", "0"),
    ("2025-03-20", ("PIR1-01",), "3000.00", "0"),
    ("2025-03-28", ("QUA2-01",), "rest", "0"),
    ("2025-04-15", ("VEL1-02",), "rest", "0"),
    ("2025-04-22", ("KES1-04",), "rest", "0"),
]
# Credits: day, invoice, product, net amount, how it is used (applied, refunded, open).
CREDITS = [
    ("2024-09-03", "THI1-03", "SEAT", "90.00", "applied"),
    ("2024-11-11", "VEL2-01", "SKIT", "360.00", "applied"),
    ("2025-02-12", "LIN2-01", "SKIT", "495.00", "refunded"),
    ("2025-04-10", "KES1-04", "SUPP", "250.00", "applied"),
    ("2025-05-12", "QUA2-01", "TRAI", "200.00", "open"),
]
# Bank charges: day, currency, amount, text, posted in the ERP?
BANK_CHARGES = [
    (date(2024, 7, 16), "JPY", "1500", "INCOMING WIRE FEE", True),
    (date(2025, 1, 10), "USD", "15.00", "INCOMING WIRE FEE", True),
    (date(2025, 5, 30), "USD", "45.00", "ACCOUNT SERVICE CHARGE", False),
]

# The honest differences that are not a consequence of timing.
NOT_IN_ERP = "FRE2-01"
ERP_TAX_PLUS_ONE = "PEN1-04"
ERP_PAYMENT_AMOUNT = ("TAV1-03", "3780.00")  # Stripe collected 3870.00
ERP_DELETED_DUPLICATE = ("KES1-03", date(2024, 11, 4), date(2025, 1, 8))  # entered twice, then hard-deleted
