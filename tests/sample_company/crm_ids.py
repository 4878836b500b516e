"""Salesforce ids, which NetSuite and Stripe refer to as well."""

from __future__ import annotations

from . import company as co

DEALS = [d.key for d in co.DEALS]
ORDER = {
    "001": [*(c.key for c in co.CUSTOMERS), "DUP"],
    "006": DEALS,
    "01t": [p.key for p in co.PRODUCTS],
    "800": DEALS,
    "801": DEALS,
}


def salesforce_id(prefix: str, key: str) -> str:
    """18 characters: the object's prefix, a running number, a fixed tail."""
    return numbered_id(prefix, 1 + ORDER[prefix].index(key))


def numbered_id(prefix: str, number: int) -> str:
    return f"{prefix}QM{number:010d}AAA"
