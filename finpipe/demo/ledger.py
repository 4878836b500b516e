"""The ERP's books: each event as one transaction with lines that balance in functional currency.

Belongs here: which accounts an event touches, and revenue recognition. Does not: NetSuite's columns (``netsuite``).
Policy: debit positive; documents at the spot rate of their date; credit memos at their invoice's rate; receivables are
relieved at the invoice's rate and the difference to the day's rate is realised on the payment; subscriptions go to
deferred revenue and are recognised by the day, usage and services at once; a voided invoice keeps its postings, is
marked voided, and names the journal that reverses them on the void date (so a closed period is not touched);
what is given up is a credit memo of the write-off item, to bad debt expense;
disputes leave the receivable alone: a journal moves the money from clearing to losses, and back if won.
No revaluation of open receivables at period end.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.billing import functional
from finpipe.demo.cash import POST, PRE, RESIDUAL, VOID, WRITTEN
from finpipe.demo.world import ACCOUNT_ID as ACCT
from finpipe.demo.world import CURRENCY_ID, RATE_SCALE

ITEM_ALLOWANCE, ITEM_WRITE_OFF = 41, 42
DOC_COLUMNS = [
    "tid",
    "type",
    "c",
    "entity",
    "ccy",
    "func",
    "dated_on",
    "due_on",
    "total",
    "rate",
    "tranid",
    "ext",
    "memo",
    "ref",
]
_LINE = ["tid", "line", "account", "foreign", "func_amount", "item", "quantity", "price", "s_on", "e_on", "is_tax"]

_ITEM = ("item", "quantity", "price", "s_on", "e_on", "is_tax")


def _bank(frame_entity: str = "entity") -> pl.Expr:
    currency = pl.col("ccy").replace_strict(CURRENCY_ID, return_dtype=pl.Int64)
    return pl.lit(1000, dtype=pl.Int64) + pl.col(frame_entity) * 10 + currency


def _docs(frame: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    empty: dict[str, pl.Expr] = {
        "due_on": pl.lit(None, dtype=pl.Date),
        "ref": pl.lit(None, dtype=pl.String),
        "memo": pl.lit(None, dtype=pl.String),
        "ext": pl.lit(None, dtype=pl.String),
    }
    return frame.select(**{k: {**empty, **columns}.get(k, pl.col(k)) for k in DOC_COLUMNS})


def lines_of(frame: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    """Shape ledger lines; what is not given is null."""
    none: dict[str, pl.Expr] = {
        "item": pl.lit(None, dtype=pl.Int64),
        "quantity": pl.lit(None, dtype=pl.Int64),
        "price": pl.lit(None, dtype=pl.Int64),
        "s_on": pl.lit(None, dtype=pl.Date),
        "e_on": pl.lit(None, dtype=pl.Date),
        "is_tax": pl.lit(value=False),
    }
    picked = {k: {**none, **columns}.get(k, pl.col(k)) for k in _LINE}
    integers = ("tid", "line", "account", "foreign", "func_amount")
    return frame.select(**{k: v.cast(pl.Int64) if k in integers else v for k, v in picked.items()})


def _type(name: str) -> pl.Expr:
    return pl.lit(name)


def invoice_docs(inv: pl.DataFrame) -> pl.DataFrame:
    """Return CustInvc headers. Card customers' invoices carry the Stripe id; wire customers' exist in the ERP only."""
    return _docs(
        inv, tid=ids.invoice_tid(pl.col("inv")), type=_type("CustInvc"), dated_on=pl.col("invoiced_on"),
        due_on=pl.col("due_on"), tranid=ids.invoice_number(pl.col("c"), pl.col("n")),
        ext=pl.when(~pl.col("is_wire")).then(ids.stripe("in", pl.col("inv"))),
    )  # fmt: skip


def _sale_account() -> pl.Expr:
    return pl.col("charge").replace_strict({"R": ACCT[2200], "O": ACCT[4020], "U": ACCT[4010]}, return_dtype=pl.Int64)


def _sale_lines(inv: pl.DataFrame, lines: pl.DataFrame, tid: pl.Expr, sign: int) -> list[pl.DataFrame]:
    """The receivable, the items and the tax of whole invoices (sign 1) or of their reversals (sign -1)."""
    item_rows = lines.join(inv.select("inv"), on="inv", how="semi", maintain_order="left")
    unit = pl.col("price") * (100 - pl.col("disc_pct")) // 100 * pl.col("months")
    return [
        lines_of(
            inv,
            tid=tid,
            line=pl.lit(0),
            account=pl.lit(ACCT[1100]),
            foreign=pl.col("total") * sign,
            func_amount=pl.col("total_func") * sign,
        ),
        lines_of(
            item_rows,
            tid=tid,
            line=pl.col("position") + 1,
            account=_sale_account(),
            foreign=-pl.col("net") * sign,
            func_amount=-pl.col("net_func") * sign,
            item=pl.col("product"),
            quantity=-pl.col("quantity") * sign,
            price=unit,
            s_on=pl.col("s_on"),
            e_on=pl.col("e_on"),
        ),
        lines_of(
            inv.filter(pl.col("tax") != 0),
            tid=tid,
            line=pl.col("lines") + 1,
            account=pl.lit(ACCT[2100]),
            foreign=-pl.col("tax") * sign,
            func_amount=-pl.col("tax_func") * sign,
            is_tax=pl.lit(value=True),
        ),
    ]


def invoice_lines(inv: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all CustInvc: receivable (line 0), items net of discount, one tax line."""
    return pl.concat(_sale_lines(inv, lines, ids.invoice_tid(pl.col("inv")), 1))


def _reversals(voided: pl.DataFrame, lines: pl.DataFrame) -> list[pl.DataFrame]:
    """The lines of the journals that reverse voided invoices: accounts and amounts, no items."""
    tid = ids.credit_tid(pl.col("inv") * 4 + VOID)
    return [lines_of(part) for part in (p.drop(_ITEM) for p in _sale_lines(voided, lines, tid, -1))]


def credit_docs(credit: pl.DataFrame) -> pl.DataFrame:
    """Return headers: CustCred (credit notes ``cn_``, write-downs, write-offs) and the journals that reverse voids."""
    number = ids.invoice_number(pl.col("c"), pl.col("n"))
    void, written = pl.col("kind") == VOID, pl.col("kind") == WRITTEN
    memo = (
        pl.when(void)
        .then(pl.lit("Void of invoice "))
        .when(pl.col("kind") == RESIDUAL)
        .then(pl.lit("Short payment accepted, invoice "))
        .when(written)
        .then(pl.lit("Uncollectible, invoice "))
        .otherwise(pl.lit("Credit for invoice "))
    )
    suffix = pl.when(void).then(pl.lit("-VOID")).when(written).then(pl.lit("-WO")).otherwise(pl.lit("-CN-01"))
    return _docs(
        credit,
        tid=ids.credit_tid(pl.col("cn")),
        type=pl.when(void).then(pl.lit("Journal")).otherwise(pl.lit("CustCred")),
        total=pl.when(void).then(pl.col("total")).otherwise(-pl.col("total")),
        tranid=number + suffix,
        ext=pl.when(~pl.col("is_wire") & ~void & ~written).then(ids.stripe("cn", pl.col("cn"))),
        memo=memo + number,
    )


def credit_lines(credit: pl.DataFrame, inv: pl.DataFrame, lines: pl.DataFrame, applied: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all CustCred: credits and allowances, bad debt. Voids mirror the invoice."""
    relief = applied.filter(pl.col("source") != "payment").select(cn="key", relief="relief_func")
    own = credit.filter(pl.col("kind") != VOID).join(relief, on="cn", how="left", maintain_order="left")
    own = own.with_columns(worth=pl.coalesce("relief", functional(pl.col("total"))))
    item = lines.select("il", "product")
    own = own.join(item, on="il", how="left", maintain_order="left").with_columns(tax_func=functional(pl.col("tax")))
    tid = ids.credit_tid(pl.col("cn"))
    written = pl.col("kind") == WRITTEN
    given = pl.when(written).then(pl.lit(ITEM_WRITE_OFF)).otherwise(pl.lit(ITEM_ALLOWANCE))
    named = pl.when(pl.col("kind").is_in([PRE, POST])).then("product").otherwise(given)
    voided = inv.filter(pl.col("void_on").is_not_null())
    return pl.concat(
        [
            lines_of(
                own,
                tid=tid,
                line=pl.lit(0),
                account=pl.lit(ACCT[1100]),
                foreign=-pl.col("total"),
                func_amount=-pl.col("worth"),
            ),
            lines_of(
                own,
                tid=tid,
                line=pl.lit(1),
                account=pl.when(written).then(pl.lit(ACCT[6300])).otherwise(pl.lit(ACCT[4100])),
                foreign=pl.col("net"),
                func_amount=pl.col("worth") - pl.col("tax_func"),
                item=named.cast(pl.Int64),
                quantity=pl.lit(1, dtype=pl.Int64),
                price=pl.col("net"),
            ),
            lines_of(
                own.filter(pl.col("tax") != 0),
                tid=tid,
                line=pl.lit(2),
                account=pl.lit(ACCT[2100]),
                foreign=pl.col("tax"),
                func_amount=pl.col("tax_func"),
                is_tax=pl.lit(value=True),
            ),
            *_reversals(voided, lines),
        ]
    )


def _settlement(frame: pl.DataFrame, sign: int) -> pl.DataFrame:
    """Receivable (line 0, ``worth``) against cash at the day's rate, and the realised difference if any."""
    cash = pl.when("is_wire").then(_bank()).otherwise(pl.lit(ACCT[1050], dtype=pl.Int64))
    frame = frame.with_columns(cash_func=functional(pl.col("amount")), cash_account=cash)
    gain = frame.filter(pl.col("cash_func") != pl.col("worth"))
    return pl.concat([
        lines_of(frame, line=pl.lit(0), account=pl.lit(ACCT[1100]), foreign=-pl.col("amount") * sign,
                 func_amount=-pl.col("worth") * sign),
        lines_of(frame, line=pl.lit(1), account=pl.col("cash_account"), foreign=pl.col("amount") * sign,
                 func_amount=pl.col("cash_func") * sign),
        lines_of(gain, line=pl.lit(2), account=pl.lit(ACCT[7100]), foreign=pl.lit(0),
                 func_amount=(pl.col("worth") - pl.col("cash_func")) * sign),
    ])  # fmt: skip


def payment_docs(pay: pl.DataFrame) -> pl.DataFrame:
    """Return CustPymt headers; wires carry the customer's remittance reference, cards the charge id."""
    key = pl.col("pay")
    return _docs(
        pay, tid=ids.payment_tid(key), type=_type("CustPymt"), dated_on=pl.col("paid_on"), total=-pl.col("amount"),
        tranid=pl.lit("PMT-") + key.cast(pl.String), ext=pl.when(~pl.col("is_wire")).then(ids.stripe("ch", key)),
        ref=pl.when("is_wire").then(wire_reference(key)),
    )  # fmt: skip


def wire_reference(pay: pl.Expr) -> pl.Expr:
    """Return the end-to-end reference a customer gives its wire; the ERP keeps it as ``otherrefnum``."""
    return pl.lit("RMT") + pay.cast(pl.String).str.zfill(10)


def payment_lines(pay: pl.DataFrame, applied: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all CustPymt: the applied part at the invoices' rates, the unapplied at the day's."""
    relief = applied.filter(pl.col("source") == "payment").group_by("key").agg(pl.col("relief_func").sum())
    frame = pay.join(relief.rename({"key": "pay"}), on="pay", how="left", maintain_order="left")
    worth = pl.col("relief_func") + functional(pl.col("excess"))
    return _settlement(frame.with_columns(tid=ids.payment_tid(pl.col("pay")), worth=worth), 1)


def refund_docs(refund: pl.DataFrame) -> pl.DataFrame:
    """Return CustRfnd headers."""
    key = pl.col("rf")
    return _docs(
        refund, tid=ids.refund_tid(key), type=_type("CustRfnd"), dated_on=pl.col("refunded_on"), total=pl.col("amount"),
        tranid=pl.lit("RFD-") + key.cast(pl.String), ext=pl.when(~pl.col("is_wire")).then(ids.stripe("re", key)),
        ref=pl.when("is_wire").then(pl.lit("RFD") + key.cast(pl.String).str.zfill(10)),
    )  # fmt: skip


def refund_lines(refund: pl.DataFrame, pay: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of all CustRfnd: what was received comes off at the rate it came in at."""
    came = pay.select("pay", came_rate="rate")
    frame = refund.join(came, on="pay", how="left", maintain_order="left")
    worth = functional(pl.col("amount"), pl.col("came_rate"))
    return _settlement(frame.with_columns(tid=ids.refund_tid(pl.col("rf")), worth=worth), -1)


def dispute_books(dispute: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (headers, lines) of the journals for money withdrawn by disputes and reinstated when won."""
    key, kept = pl.col("pay"), []
    for code, frame, day, sign, word in (
        (ids.DISPUTE_CODE, dispute, "opened_on", 1, "opened"),
        (ids.REINSTATE_CODE, dispute.filter("is_won"), "closed_on", -1, "won"),
    ):
        tid = key // 4 * 32 + code + key % 4
        ext = ids.stripe("dp", key) if sign == 1 else ids.movement("reinstatement", key)
        doc = _docs(frame, tid=tid, type=_type("Journal"), c=pl.lit(None, dtype=pl.Int64), dated_on=pl.col(day),
                    total=pl.col("amount"), rate=pl.lit(RATE_SCALE, dtype=pl.Int64), ext=ext,
                    tranid=pl.lit("DSP-") + key.cast(pl.String) + f"-{word}",
                    memo=pl.lit("Dispute ") + ids.stripe("dp", key) + f" {word}")  # fmt: skip
        pair = [lines_of(frame, tid=tid, line=pl.lit(n), account=pl.lit(account), foreign=pl.col("amount") * way,
                         func_amount=pl.col("amount") * way)
                for n, (account, way) in enumerate(((ACCT[6120], sign), (ACCT[1050], -sign)))]  # fmt: skip
        kept.append((doc, pl.concat(pair)))
    return pl.concat([k[0] for k in kept]), pl.concat([k[1] for k in kept])
