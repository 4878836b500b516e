"""Exact arithmetic and repeatable chance, as polars expressions.

Belongs here: keyed random numbers, half-up division, month arithmetic, money as text.
Does not: anything about the company.

Every random number is a pure function of (seed, salt, row key), so a row comes out the same whatever block,
thread or order produced it. Money is Int64 minor units; only the last step turns it into text.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import polars as pl

_U64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def _u64(value: int) -> pl.Expr:
    return pl.lit(value & _U64, dtype=pl.UInt64)


@dataclass(frozen=True)
class Chance:
    """Keyed random numbers (splitmix64 finaliser; its multiplications wrap at 64 bits by design)."""

    seed: int

    def draw(self, key: pl.Expr, salt: str) -> pl.Expr:
        """Return 64 random bits per row, from the seed, the salt and the integer row key."""
        start = (self.seed * _GOLDEN) ^ (zlib.crc32(salt.encode()) * 0xD1B54A32D192ED03)
        x = key.cast(pl.UInt64) * _u64(_GOLDEN) + _u64(start)
        x = (x ^ (x // _u64(1 << 30))) * _u64(0xBF58476D1CE4E5B9)
        x = (x ^ (x // _u64(1 << 27))) * _u64(0x94D049BB133111EB)
        return x ^ (x // _u64(1 << 31))

    def below(self, key: pl.Expr, salt: str, n: int) -> pl.Expr:
        """Return a uniform integer 0..n-1 per row."""
        return ((self.draw(key, salt) // _u64(1 << 11)) % _u64(n)).cast(pl.Int64)

    def chosen(self, key: pl.Expr, salt: str, choices: list[tuple[int, int]]) -> pl.Expr:
        """Return one of the integer choices ``(value, weight in percent)``; the weights add up to 100."""
        roll = self.below(key, salt, 100)
        result: pl.Expr = pl.lit(choices[-1][0], dtype=pl.Int64)
        edge = 100
        for position in range(len(choices) - 2, -1, -1):
            edge -= choices[position + 1][1]
            result = pl.when(roll < edge).then(pl.lit(choices[position][0], dtype=pl.Int64)).otherwise(result)
        return result


def half_up(numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """Divide integers and round half away from zero, in 128 bits so that no product overflows."""
    den = pl.lit(denominator, dtype=pl.Int128) if isinstance(denominator, int) else denominator.cast(pl.Int128)
    num = numerator.cast(pl.Int128)
    return (num.sign() * ((num.abs() * 2 + den) // (den * 2))).cast(pl.Int64)


def times_ratio(amount: pl.Expr, numerator: pl.Expr, denominator: pl.Expr | int) -> pl.Expr:
    """Return amount x numerator / denominator, rounded half away from zero."""
    return half_up(amount.cast(pl.Int128) * numerator.cast(pl.Int128), denominator)


def add_months(day: pl.Expr, months: pl.Expr) -> pl.Expr:
    """Add whole months to dates whose day of month is at most 28 (so that no clipping is needed)."""
    index = day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1 + months
    return pl.date(index // 12, index % 12 + 1, day.dt.day())


def add_days(day: pl.Expr, days: pl.Expr | int) -> pl.Expr:
    """Add whole days to a date."""
    return (day.cast(pl.Int32).cast(pl.Int64) + days).cast(pl.Int32).cast(pl.Date)


def decimal_text(minor: pl.Expr, digits: pl.Expr) -> pl.Expr:
    """Write minor units as plain decimal text with the currency's own number of decimals."""
    unit = pl.lit(10, dtype=pl.Int64).pow(digits).cast(pl.Int64)
    size = minor.abs()
    sign = pl.when(minor < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = (size // unit).cast(pl.String)
    part = pl.lit(".") + (size % unit).cast(pl.String).str.zfill(digits)
    return sign + whole + pl.when(digits > 0).then(part).otherwise(pl.lit(""))


def scaled_text(value: pl.Expr, decimals: int) -> pl.Expr:
    """Write an integer scaled by 10^decimals as plain decimal text (rates, unit prices)."""
    return decimal_text(value, pl.lit(decimals, dtype=pl.Int64))
