"""Native ids and document numbers, made from the generator's integer keys.

Belongs here: how a key becomes a Salesforce, Stripe or NetSuite id. Does not: the rows that carry them.
Ids are bijections of the key: unique without being looked up, and not in an order that gives anything away.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.contracts import SLOTS

_SPREAD = 6_364_136_223  # coprime to 10, so that multiplication modulo a power of ten never collides
TRANSACTIONS = 4096  # NetSuite ids: 4096 per account, of which 32 per invoice; orders take the last 32
PAYMENT_CODE, REFUND_CODE, DISPUTE_CODE, REINSTATE_CODE = 5, 9, 11, 15


def _scattered(key: pl.Expr, digits: int) -> pl.Expr:
    size = pl.lit(10**digits, dtype=pl.UInt64)
    spread = (key.cast(pl.UInt64) * pl.lit(_SPREAD, dtype=pl.UInt64)) % size
    return spread.cast(pl.String).str.zfill(digits)


def salesforce(prefix: str, key: pl.Expr) -> pl.Expr:
    """Return an 18-character record id; the three first characters name the object."""
    return pl.lit(prefix) + _scattered(key, 15)


def stripe(prefix: str, key: pl.Expr) -> pl.Expr:
    """Return an object id such as ``in_1N000123456789012``."""
    return pl.lit(prefix + "_1N") + _scattered(key, 15)


def customer_ref(c: pl.Expr) -> pl.Expr:
    """Return the NetSuite internal id of a customer."""
    return (c + 5000).cast(pl.String)


def invoice_number(c: pl.Expr, n: pl.Expr) -> pl.Expr:
    """Return the printed number: the customer's prefix and its own running number, as Stripe numbers invoices."""
    return _scattered(c, 8) + pl.lit("-") + n.cast(pl.String).str.zfill(4)


def invoice_tid(inv: pl.Expr) -> pl.Expr:
    """Return the NetSuite id of an invoice."""
    return inv * 32


def credit_tid(cn: pl.Expr) -> pl.Expr:
    """Return the NetSuite id of a credit memo (key: invoice x 4 + kind)."""
    return cn // 4 * 32 + 1 + cn % 4


def payment_tid(pay: pl.Expr) -> pl.Expr:
    """Return the NetSuite id of a customer payment (key: invoice x 4 + part)."""
    return pay // 4 * 32 + PAYMENT_CODE + pay % 4


def refund_tid(rf: pl.Expr) -> pl.Expr:
    """Return the NetSuite id of a customer refund (key: invoice x 4 + kind)."""
    return rf // 4 * 32 + REFUND_CODE + rf % 4


def order_tid(deal: pl.Expr) -> pl.Expr:
    """Return the NetSuite id of a sales order."""
    return deal // SLOTS * TRANSACTIONS + 127 * 32 + deal % SLOTS


def movement(kind: str, key: pl.Expr) -> pl.Expr:
    """Return the balance transaction id of a charge, refund, dispute or reinstatement."""
    offset = {"charge": 0, "refund": 1, "dispute": 2, "reinstatement": 3}[kind]
    return stripe("txn", key * 4 + offset)
