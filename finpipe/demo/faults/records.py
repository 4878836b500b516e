"""Faults that show when a system is held against itself: records that vanished, that go on past their end, or that lie
before everyone else's first day.

Belongs here: one function per code. Does not: mechanics (``plan``), differences between two systems (``documents``).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from finpipe.demo import ids
from finpipe.demo.billing import INVOICE_LINES
from finpipe.demo.cash import SINGLE
from finpipe.demo.contracts import SLOTS
from finpipe.demo.faults.documents import CARD, paid
from finpipe.demo.faults.edits import TRANSACTION, Row
from finpipe.demo.faults.masters import ACCOUNT
from finpipe.demo.faults.plan import Planter, invoice_ref, salesforce_id, stripe_id
from finpipe.demo.salesforce import LOST, OPEN
from finpipe.demo.stripe import EMBEDDED


def discount_expired(p: Planter) -> None:
    """DISC-EXPIRED: the subscription's discount ended before the last service that was billed with it."""
    given = (pl.col("charge") == "R") & (pl.col("disc") > 0) & pl.col("void_on").is_null()
    card = p.block.invoices.filter(CARD).select("inv")
    own = p.block.invoice_lines.filter(given).join(card, on="inv", how="semi", maintain_order="left")
    first = [pl.col(k).first() for k in ("entity", "ccy", "invoiced_on")]
    billed = own.group_by("root", "inv", maintain_order=True).agg(pl.col("s_on").min(), pl.col("disc").sum(), *first)
    is_last = (pl.col("s_on") == pl.col("s_on").max().over("root")) & (
        pl.col("s_on") > pl.col("s_on").min().over("root")
    )
    last = billed.filter(is_last).filter(pl.len().over("root") == 1)
    for v in p.pick("DISC-EXPIRED", last, pl.lit(value=True)):
        sub, ended = stripe_id("sub", v["root"]), int((v["s_on"] - date(1970, 1, 1)).total_seconds())

        def alter(row: Row, end: int = ended) -> None:
            row["discounts"][0]["end"] = end

        p.edits.alter("stripe/subscription.jsonl", sub, alter)
        p.note(
            "DISC-EXPIRED", "stripe/invoice", invoice_ref(v)[1], v, amount=v["disc"], day=v["invoiced_on"], related=sub
        )


def payment_vanished(p: Planter) -> None:
    """DEL-UNSEEN: an ERP payment that is nowhere any more, though its links are; nothing says that it was deleted."""
    for v in paid(p, "DEL-UNSEEN", CARD):
        tid = v["pay"] // 4 * 32 + ids.PAYMENT_CODE
        p.remove_document(tid, with_links=False)
        p.note("DEL-UNSEEN", TRANSACTION, str(tid), v, amount=0, day=v["paid_on"], related=stripe_id("ch", v["pay"]))


_BEFORE = 40  # days before the first day of all other systems
_LEGACY = 9 * 10**14  # keys of objects from before: far from all others


def legacy_invoice(p: Planter) -> None:
    """LATE-DATA: an open Stripe invoice from before the ERP's first month."""
    few = pl.col("lines") <= EMBEDDED
    for v in p.pick("LATE-DATA", p.block.invoices, CARD & few & (pl.col("plan") == SINGLE)):
        new, day = stripe_id("in", _LEGACY + v["inv"]), p.world.horizon.start - timedelta(days=_BEFORE)
        moment = int((day - date(1970, 1, 1)).total_seconds()) + 36_000
        row = p.rows("stripe/invoice.jsonl", "id", invoice_ref(v)[1])[0]
        for n, line in enumerate(row["lines"]["data"]):
            key = _LEGACY + v["inv"] * INVOICE_LINES + n
            line.update(id=stripe_id("il", key), invoice=new, parent=None, period={"start": moment, "end": moment})
        row.update(
            id=new, number=row["number"].partition("-")[0] + "-0000", status="open", created=moment, due_date=moment,
            status_transitions=row["status_transitions"] | {"finalized_at": moment, "paid_at": None}, parent=None,
            amount_paid=0, amount_due=v["total"], amount_remaining=v["total"], attempted=False,
            metadata=row["metadata"] | {"opportunity_id": None, "erp_invoice_id": None},
        )  # fmt: skip
        p.edits.add("stripe/invoice.jsonl", row)
        p.note("LATE-DATA", "stripe/invoice", new, v, amount=v["total"], day=p.world.horizon.start)


def account_vanished(p: Planter) -> None:
    """DEL-UNSEEN: a prospect that is nowhere in the CRM any more, though an opportunity of it is."""
    name = "salesforce/Opportunity.csv"
    slots = pl.DataFrame({"slot": [LOST, OPEN]}, schema={"slot": pl.Int64})
    keyed = p.block.accounts.join(slots, how="cross").with_columns(
        Id=ids.salesforce("006", pl.col("c") * SLOTS + pl.col("slot"))
    )
    there = p.extracts[name].select("Id").filter(~pl.col("Id").is_in(sorted(p.edits.changes.get(name, {}))))
    named = keyed.join(there, on="Id", how="semi", maintain_order="left").unique("c", keep="first", maintain_order=True)
    nobodys = (pl.col("role") == 2) & (pl.col("head") != pl.col("c"))
    for v in p.pick("DEL-UNSEEN account", named, nobodys, key="c", claim=False):
        id_ = salesforce_id("001", v["c"])
        p.edits.drop(ACCOUNT, id_)
        p.note("DEL-UNSEEN", ACCOUNT, id_, v, amount=0, day=p.world.horizon.cut, related=v["Id"])
