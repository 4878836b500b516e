"""What a billing system's objects looked like before they changed, so that deliveries can show both.

Belongs here: Stripe's objects as they were created and as they became. Does not: when and in which file they come.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Object = dict[str, Any]


def related(path: Path) -> dict[str, int]:
    """Return when something later touched an object: refunds and disputes a charge, credit notes an invoice."""
    sources = {"charge": (("refund", "charge"), ("dispute", "charge")), "invoice": (("credit_note", "invoice"),),
               "balance_transaction": (("payout", "id"),), "invoice_line_item": (("invoice", "id"),)}  # fmt: skip
    found: dict[str, int] = {}
    for table, member in sources.get(path.stem, ()):
        other = path.parent / f"{table}.jsonl"
        for line in other.read_text(encoding="utf-8").splitlines() if other.exists() else ():
            item = json.loads(line)
            found[item[member]] = item["created"]
    return found


def versions(table: str, item: Object, touched: dict[str, int]) -> list[tuple[int, Object]]:
    """Return (moment, object) in order: first as created, then as it became."""
    # Line items and deleted customers carry no date: the former come with their invoice, the latter at once.
    made: int = item.get("created") or touched.get(item.get("invoice", ""), 0)
    early = _EARLY.get(table)
    changed = _changed_at(table, item, touched)
    if early is None or changed is None:
        return [(made, item)]
    return [(made, item | early(item)), (max(changed, made + 1), item)]


def _changed_at(table: str, item: Object, touched: dict[str, int]) -> int | None:
    if table == "invoice":
        moments = item["status_transitions"]
        settled: int | None = moments["paid_at"] or moments["voided_at"] or moments["marked_uncollectible_at"]
        return touched.get(item["id"], settled)
    if table == "subscription":
        ended: int | None = item["ended_at"]
        return ended
    if table == "payout" and item["status"] in ("paid", "failed"):
        return int(item["created"]) + 86_400 * (2 if item["status"] == "paid" else 3)
    if table == "dispute" and item["status"] in ("won", "lost"):
        return int(item["created"]) + 86_400 * 40
    if table == "balance_transaction" and item["payout"]:
        return touched[item["payout"]]
    return touched.get(item["id"]) if table == "charge" else None


def _open_invoice(item: Object) -> Object:
    moments = item["status_transitions"] | dict.fromkeys(("paid_at", "voided_at", "marked_uncollectible_at"))
    return {"status": "open", "amount_paid": 0, "amount_remaining": item["amount_due"], "status_transitions": moments,
            "post_payment_credit_notes_amount": 0, "attempted": False}  # fmt: skip


_EARLY: dict[str, Any] = {
    "invoice": _open_invoice,
    "charge": lambda _: {"amount_refunded": 0, "refunded": False, "disputed": False},
    "subscription": lambda _: {"status": "active", "ended_at": None},
    "dispute": lambda i: {"status": "needs_response", "balance_transactions": i["balance_transactions"][:1]},
    "balance_transaction": lambda _: {"payout": None, "status": "pending"},
    "payout": lambda _: {
        "status": "in_transit", "failure_balance_transaction": None, "failure_code": None,
        "trace_id": {"status": "pending", "value": None},
    },
}  # fmt: skip
