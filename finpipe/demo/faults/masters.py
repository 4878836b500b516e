"""Faults in customers, orders, subscriptions and what the CRM typed.

Belongs here: one function per code. Customers may carry these besides faults of their documents. Does not: mechanics.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import polars as pl

from finpipe.demo import ids
from finpipe.demo.contracts import NEW, UPSELL
from finpipe.demo.faults.edits import LINE, TRANSACTION, Row, shifted
from finpipe.demo.faults.plan import Planter, salesforce_id, stripe_id
from finpipe.demo.world import DIGITS

ERP_CUSTOMER, ACCOUNT = "netsuite/customer.csv", "salesforce/Account.csv"
BUYER = pl.col("role") == 1


def _customers(p: Planter, code: str, condition: pl.Expr) -> list[Row]:
    return p.pick(code, p.block.accounts, condition, key="c", claim=False)


def _note(p: Planter, code: str, where: str, record: str, v: Row, related: str | None = None) -> None:
    p.note(code, where, record, v, amount=0, day=p.world.horizon.cut, related=related)


def customer_missing(p: Planter) -> None:
    """CUS-MISSING: a customer opened in the ERP alone: no CRM account, no billing customer, no documents."""
    for v in _customers(p, "CUS-MISSING", BUYER):
        row = p.rows(ERP_CUSTOMER, "id", str(v["c"] + 5000))[0]
        new = str(9_000_000 + v["c"])
        row.update(
            id=new,
            entityid=f"X-{v['c']}",
            companyname=f"Walk-in {v['c']} Trading",
            parent=None,
            externalid=None,
            email=f"accounts@walkin{v['c']}.example",
            url=f"https://walkin{v['c']}.example",
            vatregnumber=None,
            custentity_crm_account_id=None,
            custentity_billing_customer_id=None,
        )
        p.edits.add(ERP_CUSTOMER, row)
        _note(p, "CUS-MISSING", ERP_CUSTOMER, new, v)


def customer_multiple(p: Planter) -> None:
    """CUS-MULTI: a second ERP customer that points to the same CRM account."""
    for v in _customers(p, "CUS-MULTI", BUYER):
        row = p.rows(ERP_CUSTOMER, "id", str(v["c"] + 5000))[0]
        new = str(9_500_000 + v["c"])
        row.update(id=new, entityid=f"D-{v['c']}", externalid=None)
        p.edits.add(ERP_CUSTOMER, row)
        _note(p, "CUS-MULTI", ERP_CUSTOMER, new, v, related=str(v["c"] + 5000))


def customer_attribute(p: Planter) -> None:
    """CUS-ATTR: the ERP has another tax id than the CRM."""
    for v in _customers(p, "CUS-ATTR", BUYER):
        id_ = str(v["c"] + 5000)
        p.edits.change(ERP_CUSTOMER, id_, vatregnumber=v["tax_id"][:2] + "9" + v["tax_id"][3:])
        _note(p, "CUS-ATTR", ERP_CUSTOMER, id_, v, related=salesforce_id("001", v["c"]))


def customer_cycle(p: Planter) -> None:
    """CUS-CYCLE: a parent account whose own parent is one of its children."""
    heads = p.block.accounts.filter(pl.col("parent").is_not_null()).select("parent", child="c")
    heads = heads.unique("parent", keep="first", maintain_order=True)
    frame = p.block.accounts.join(heads, left_on="c", right_on="parent", how="inner", maintain_order="left")
    for v in p.pick("CUS-CYCLE", frame, pl.col("parent").is_null(), key="c", claim=False):
        id_, child = salesforce_id("001", v["c"]), salesforce_id("001", v["child"])
        p.edits.change(ACCOUNT, id_, ParentId=child)
        _note(p, "CUS-CYCLE", ACCOUNT, id_, v, related=child)


def orders(p: Planter, code: str, condition: pl.Expr) -> list[Row]:
    """Return victims among the orders of won deals."""
    frame = p.block.deals.with_columns(inv=-pl.col("deal"))  # a claim of their own, apart from invoices
    return p.pick(code, frame, condition & (pl.col("tcv") > 0), key="deal")


def order_id(v: Row) -> int:
    """Return the ERP id of a deal's order."""
    return int(v["deal"]) // 16 * 4096 + 127 * 32 + int(v["deal"]) % 16


def order_missing(p: Planter) -> None:
    """ORD-MISSING: a closed-won opportunity without order, in CRM and ERP; it is billed all the same."""
    for v in orders(p, "ORD-MISSING", pl.col("slot").is_in([NEW, UPSELL])):
        opportunity = salesforce_id("006", v["deal"])
        p.remove_document(order_id(v))
        p.edits.drop("salesforce/Order.csv", salesforce_id("801", v["deal"]))
        p.edits.change("salesforce/Opportunity.csv", opportunity, ERP_Order_Id__c=None)
        p.note("ORD-MISSING", "salesforce/Opportunity", opportunity, v, amount=v["tcv"], day=v["signed_on"])


def order_late(p: Planter) -> None:
    """ORD-LATE: the ERP order is dated 75 days after the signature."""
    late = pl.col("signed_on") < pl.lit(p.world.horizon.cut - timedelta(days=100))
    for v in orders(p, "ORD-LATE", late):
        day = v["signed_on"] + timedelta(days=75)
        p.edits.change(TRANSACTION, str(order_id(v)), trandate=str(day), createddate=f"{day} 09:15:00",
                       lastmodifieddate=f"{day} 17:15:00")  # fmt: skip
        p.note("ORD-LATE", TRANSACTION, str(order_id(v)), v, amount=v["tcv"], day=v["signed_on"],
               related=salesforce_id("006", v["deal"]))  # fmt: skip


def _raised(by: Decimal) -> Callable[[Row], None]:
    """Return a change that adds to a header's total."""
    return lambda row: row.update(foreigntotal=shifted(row["foreigntotal"], by))


def order_value(p: Planter) -> None:
    """ORD-VALUE: the ERP order is worth more than the opportunity."""
    for v in orders(p, "ORD-VALUE", pl.lit(value=True)):
        tid, delta = order_id(v), v["tcv"] // 9 + 1
        more = Decimal(delta).scaleb(-DIGITS[v["ccy"]])
        p.edits.alter(TRANSACTION, str(tid), _raised(more))
        for line, sign in ((0, 1), (1, -1)):

            def alter(row: Row, by: Decimal = more * sign) -> None:
                row["foreignamount"] = shifted(row["foreignamount"], by)

            p.edits.alter(LINE, str(tid * 64 + line), alter)
        p.note(
            "ORD-VALUE",
            TRANSACTION,
            str(tid),
            v,
            amount=delta,
            day=v["signed_on"],
            related=salesforce_id("006", v["deal"]),
        )


def order_terms(p: Planter) -> None:
    """ORD-TERMS: the Stripe subscription has one unit more than the contract line."""
    frame = p.block.deals.with_columns(inv=-pl.col("deal") - 10**9)
    whole = (pl.col("slot") == NEW) & (pl.col("event") == 0) & ~pl.col("is_wire")
    for v in p.pick("ORD-TERMS", frame, whole & (pl.col("start_on") < pl.lit(p.world.horizon.cut)), key="deal"):
        sub = stripe_id("sub", v["deal"])

        def alter(row: Row) -> None:
            row["items"]["data"][0]["quantity"] += 1

        p.edits.alter("stripe/subscription.jsonl", sub, alter)
        p.note(
            "ORD-TERMS",
            "stripe/subscription",
            sub,
            v,
            amount=0,
            day=v["signed_on"],
            related=salesforce_id("006", v["deal"]),
        )


def unreadable_amount(p: Planter) -> None:
    """DQ-RULE: an open opportunity whose amount was typed with a thousands separator."""
    frame = p.extracts["salesforce/Opportunity.csv"].filter(
        (pl.col("StageName") == "Negotiation") & (pl.col("Amount").str.len_chars() > 6)
    )
    keyed = p.block.accounts.with_columns(key=pl.col("c") * 16 + 9).with_columns(
        Id=ids.salesforce("006", pl.col("key"))
    )
    typed = keyed.join(frame.select("Id"), on="Id", how="semi", maintain_order="left")
    for v in p.pick("DQ-RULE amount", typed, pl.col("role") != 3, key="c", claim=False):
        id_ = v["Id"]
        amount = frame.filter(pl.col("Id") == id_)["Amount"][0]
        places = len(amount.partition(".")[2])
        p.edits.change("salesforce/Opportunity.csv", id_, Amount=f"{Decimal(amount):,.{places}f}")
        p.note(
            "DQ-RULE", "salesforce/Opportunity", id_, v, amount=int(amount.replace(".", "")), day=p.world.horizon.cut
        )
