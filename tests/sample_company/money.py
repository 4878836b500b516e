"""Exact money and dates for the sample company.

Amounts are integers in minor units (JPY has none); rates are Decimal. Nothing here knows the company.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

EXPONENT = {"USD": 2, "GBP": 2, "EUR": 2, "JPY": 0}
SATURDAY = 5


def minor(amount: str, currency: str) -> int:
    """`"12.50"` USD -> 1250; more decimals than the currency has are a mistake in the script."""
    scaled = Decimal(amount).scaleb(EXPONENT[currency])
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{amount} {currency} is not a whole number of minor units")
    return int(scaled)


def text(amount: int, currency: str) -> str:
    """1250 USD -> `"12.50"`, 1250 JPY -> `"1250"`."""
    return f"{Decimal(amount).scaleb(-EXPONENT[currency]):f}"


def half_up(value: Decimal) -> int:
    """Round a count of minor units half away from zero."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def percent(amount: int, pct: str) -> int:
    """A percentage of an amount, rounded to the minor unit."""
    return half_up(Decimal(amount) * Decimal(pct) / 100)


def convert(amount: int, rate: Decimal, from_currency: str, to_currency: str) -> int:
    """Minor units of one currency to minor units of another at `rate` (to per one from)."""
    shift = EXPONENT[to_currency] - EXPONENT[from_currency]
    return half_up((Decimal(amount) * rate).scaleb(shift))


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` by weight with cumulative rounding, so the parts add up to it."""
    whole, seen, given, parts = sum(weights), 0, 0, []
    for weight in weights:
        seen += weight
        upto = half_up(Decimal(total) * seen / whole) if whole else 0
        parts.append(upto - given)
        given = upto
    return parts


def add_months(on: date, months: int) -> date:
    """The same day some months later, or the month's last day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def month_end(on: date) -> date:
    """The last day of the date's month."""
    return date(on.year, on.month, monthrange(on.year, on.month)[1])


def business_days_later(on: date, days: int) -> date:
    """Skip Saturdays and Sundays; public holidays do not exist in this company."""
    while days:
        on += timedelta(days=1)
        days -= on.weekday() < SATURDAY
    return on


def epoch(on: date, hour: int = 9) -> int:
    """Seconds since 1970 of an hour of a UTC day."""
    return int(datetime(on.year, on.month, on.day, hour, tzinfo=UTC).timestamp())


def quarter(on: date) -> str:
    """`2024-Q3`."""
    return f"{on.year}-Q{(on.month + 2) // 3}"
