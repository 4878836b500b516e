"""The fixed furniture of the company: entities, currencies, products, ledger accounts, calendars, FX rates.

Belongs here: reference data that no customer changes. Does not: customers and documents.
Small tables are plain Python; rates are integers scaled by 10^8 (base units per one transaction unit).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

RATE_SCALE = 10**8
DIGITS = {"USD": 2, "GBP": 2, "EUR": 2, "JPY": 0, "KWD": 3}
CURRENCY_ID = {"USD": 1, "GBP": 2, "EUR": 3, "JPY": 4, "KWD": 5}
CURRENCY_NAME = {"USD": "US Dollar", "GBP": "British Pound", "EUR": "Euro", "JPY": "Yen", "KWD": "Kuwaiti Dinar"}
# US dollars per one unit, scaled by RATE_SCALE: the level around which the daily rates move.
USD_PER_UNIT = {"USD": 100_000_000, "GBP": 125_000_000, "EUR": 108_000_000, "JPY": 700_000, "KWD": 325_000_000}


@dataclass(frozen=True)
class Entity:
    """One legal entity: its functional currency, its tax rate in basis points, the foreign currencies it sells in."""

    no: int
    code: str
    name: str
    country: str
    currency: str
    tax_bp: int
    foreign: tuple[str, ...]
    weekly_calendar: bool = False


ENTITIES = (
    Entity(1, "US", "Northwind Ledger Inc.", "US", "USD", 825, ("EUR", "GBP")),
    Entity(2, "GB", "Northwind Ledger Ltd", "GB", "GBP", 2000, ("EUR", "USD"), weekly_calendar=True),
    Entity(3, "JP", "Northwind Ledger K.K.", "JP", "JPY", 1000, ("USD", "EUR")),
    Entity(4, "KW", "Northwind Ledger W.L.L.", "KW", "KWD", 0, ("USD", "EUR")),
)

# (product no, name, family, charge type, monthly or unit list price in US cents; multiples of 20 keep discounts exact)
PRODUCTS = (
    (1, "Ledger Core", "Platform", "R", 12_000),
    (2, "Ledger Plus", "Platform", "R", 24_000),
    (3, "Close Manager", "Close", "R", 18_000),
    (4, "Consolidation", "Close", "R", 36_000),
    (5, "Receivables", "Cash", "R", 9_000),
    (6, "Payables", "Cash", "R", 9_600),
    (7, "Treasury", "Cash", "R", 30_000),
    (8, "Tax Engine", "Tax", "R", 15_000),
    (9, "Audit Trail", "Tax", "R", 4_800),
    (10, "Analytics", "Insight", "R", 21_000),
    (11, "Sandbox", "Insight", "R", 6_000),
    (12, "Premium Support", "Support", "R", 7_200),
    (21, "Onboarding", "Services", "O", 150_000),
    (22, "Data Migration", "Services", "O", 240_000),
    (31, "API Calls (1,000)", "Usage", "U", 80),
    (32, "Documents Parsed", "Usage", "U", 140),
)

# Ledger accounts: number -> (id, name, NetSuite type). Bank accounts are added per entity and currency.
ACCOUNTS = {
    1050: (105, "Stripe Clearing", "OthCurrAsset"),
    1100: (110, "Accounts Receivable", "AcctRec"),
    1200: (120, "Intercompany Receivable", "OthCurrAsset"),
    2100: (210, "Sales Tax Payable", "OthCurrLiab"),
    2200: (220, "Deferred Revenue", "DeferRevenue"),
    2300: (230, "Intercompany Payable", "OthCurrLiab"),
    3000: (300, "Share Capital", "Equity"),
    4000: (400, "Subscription Revenue", "Income"),
    4010: (401, "Usage Revenue", "Income"),
    4020: (402, "Services Revenue", "Income"),
    4100: (410, "Credits and Allowances", "Income"),
    4900: (490, "Intercompany Income", "Income"),
    6100: (610, "Payment Processing Fees", "Expense"),
    6110: (611, "Bank Fees", "Expense"),
    6120: (612, "Chargeback Losses", "Expense"),
    6300: (630, "Bad Debt Expense", "Expense"),
    6200: (620, "Intercompany Charges", "Expense"),
    7100: (710, "Realized FX Gain or Loss", "OthIncome"),
}
ACCOUNT_ID = {number: spec[0] for number, spec in ACCOUNTS.items()}


def entity_currencies(entity: Entity) -> tuple[str, ...]:
    """Return the currencies an entity invoices in, its functional one first."""
    return (entity.currency, *entity.foreign)


def bank_ledger_id(entity_no: int, currency: str) -> int:
    """Return the ledger account id of the bank account an entity holds in a currency."""
    return 1000 + entity_no * 10 + CURRENCY_ID[currency]


def list_price(product_usd_cents: int, currency: str) -> int:
    """Convert a list price to minor units of a currency, a multiple of 20 (see PRODUCTS)."""
    unit: int = 10 ** DIGITS[currency]
    converted = product_usd_cents * unit * USD_PER_UNIT["USD"] // (100 * USD_PER_UNIT[currency])
    return max(20, converted // 20 * 20)


def price_table() -> pl.DataFrame:
    """Return list prices. Grain: product x currency; ``price`` is per unit and month, in minor units."""
    rows = [(no, charge, ccy, list_price(cents, ccy)) for no, _, _, charge, cents in PRODUCTS for ccy in DIGITS]
    return pl.DataFrame(rows, schema=["product", "charge", "ccy", "price"], orient="row")


def plus_months(day: date, months: int) -> date:
    """Add months to a first-of-month date."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True)
class Horizon:
    """The eight quarters told by the generator: the first and the last day (the cut), both inside."""

    start: date
    cut: date

    @classmethod
    def of(cls, start: date) -> Horizon:
        """Return the eight quarters that begin on the first day of a month."""
        return cls(start, plus_months(start, 24) - timedelta(days=1))

    def days(self) -> list[date]:
        """Return every day of the horizon."""
        return [self.start + timedelta(days=i) for i in range((self.cut - self.start).days + 1)]


def _monthly_periods(horizon: Horizon) -> list[tuple[date, date]]:
    return [(plus_months(horizon.start, i), plus_months(horizon.start, i + 1) - timedelta(days=1)) for i in range(36)]


def _weekly_periods(horizon: Horizon) -> list[tuple[date, date]]:
    # Year 1 has 52 weeks, year 2 has 53 (its last period takes the leap week), so that 735 days cover the horizon.
    spans: list[tuple[date, date]] = []
    day = horizon.start
    for year in range(3):
        for period in range(12):
            weeks = 5 if period % 3 == 2 else 4
            weeks += 1 if (year, period) == (1, 11) else 0
            spans.append((day, day + timedelta(days=7 * weeks - 1)))
            day += timedelta(days=7 * weeks)
    return spans


def periods(horizon: Horizon) -> pl.DataFrame:
    """Return accounting periods. Grain: calendar (0 months, 1 weekly 4-4-5) x period, no gaps, three years."""
    rows = []
    for calendar, spans in enumerate((_monthly_periods(horizon), _weekly_periods(horizon))):
        for index, (first, last) in enumerate(spans):
            name = f"FY{index // 12 + 1} P{index % 12 + 1:02d}" if calendar else first.strftime("%b %Y")
            rows.append((calendar, index, 100 * (calendar + 1) + index, name, first, last))
    return pl.DataFrame(
        rows, schema=["calendar", "index", "period", "period_name", "first_on", "last_on"], orient="row"
    ).with_columns(is_told=pl.col("first_on") <= horizon.cut)


def entity_periods(horizon: Horizon) -> pl.DataFrame:
    """Return the told periods of each entity. Grain: entity x period; ``seen_to`` is the last told day of it."""
    frames = [
        periods(horizon)
        .filter((pl.col("calendar") == int(e.weekly_calendar)) & pl.col("is_told"))
        .with_columns(entity=pl.lit(e.no, dtype=pl.Int64))
        for e in ENTITIES
    ]
    return pl.concat(frames).with_columns(seen_to=pl.min_horizontal("last_on", pl.lit(horizon.cut)))


def usd_rate(seed: int, currency: str, day_no: int) -> int:
    """Return US dollars per unit on a day: a triangle wave of about 3 % plus 0.4 % noise, all integers."""
    base = USD_PER_UNIT[currency]
    if currency == "USD":
        return base
    phase = CURRENCY_ID[currency] * 37
    wave = abs((day_no + phase) % 240 - 120) - 60
    noise = ((day_no * 2_654_435_761 + seed * 97 + phase * 40_503) >> 7) % 801 - 400
    return base + base * wave // 2000 + base * noise // 100_000


def fx_rates(seed: int, horizon: Horizon) -> pl.DataFrame:
    """Return daily rates. Grain: base x quote currency x day; ``rate`` = base units per quote unit x 10^8."""
    rows = []
    for no, day in enumerate(horizon.days()):
        usd = {ccy: usd_rate(seed, ccy, no) for ccy in DIGITS}
        for entity in ENTITIES:
            for ccy in entity_currencies(entity):
                quotient = (2 * usd[ccy] * RATE_SCALE + usd[entity.currency]) // (2 * usd[entity.currency])
                rows.append((entity.no, entity.currency, ccy, day, quotient))
    return pl.DataFrame(rows, schema=["entity", "func", "ccy", "day", "rate"], orient="row")
