"""What the billing platform shows of money: payments, refunds, disputes, credit notes, balance and payouts.

Belongs here: the native shape of those objects (conventions: see ``stripe``). Does not: customers and invoices.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.billing import INVOICE_LINES
from finpipe.demo.cash import LATE, POST, SPLIT, UNPAID, WRITE_OFF
from finpipe.demo.stripe import epoch, lower
from finpipe.demo.world import Horizon

_FAILED = 3  # failed charge key = invoice x 4 + 3
_NULL = pl.lit(None, dtype=pl.String)


def _tries(plan: pl.DataFrame, pay: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(successes, failures): charges with ``charge`` and ``intent`` keys, day and amount."""
    good = pay.filter(~pl.col("is_wire")).select(
        "c", "inv", "ccy", "amount", "plan", "fee", charge="pay", intent="pay", day="paid_on"
    )
    bad = plan.filter(~pl.col("is_wire") & (pl.col("plan").is_in([LATE, UNPAID, WRITE_OFF])))
    return good, bad.select(
        "c",
        "inv",
        "ccy",
        "plan",
        amount="total",
        charge=pl.col("inv") * 4 + _FAILED,
        intent=pl.col("inv") * 4,
        day="pay_on",
    )


def charges(
    plan: pl.DataFrame, pay: pl.DataFrame, refund: pl.DataFrame, dispute: pl.DataFrame, horizon: Horizon
) -> pl.DataFrame:
    """Return charge objects, failed attempts included."""
    good, bad = _tries(plan, pay)
    back = refund.filter(~pl.col("is_wire")).group_by("pay").agg(refunded_amount=pl.col("amount").sum())
    good = good.join(back, left_on="charge", right_on="pay", how="left", maintain_order="left")
    both = pl.concat(
        [
            good.with_columns(ok=pl.lit(value=True)),
            bad.filter(pl.col("day") <= horizon.cut).with_columns(ok=pl.lit(value=False)),
        ],
        how="diagonal",
    )
    refunded = pl.col("refunded_amount").fill_null(0)
    return both.select(
        id=ids.stripe("ch", pl.col("charge")), object=pl.lit("charge"), amount="amount",
        amount_captured=pl.when("ok").then("amount").otherwise(0), amount_refunded=refunded, currency=lower(),
        customer=ids.stripe("cus", pl.col("c")), payment_intent=ids.stripe("pi", pl.col("intent")),
        balance_transaction=pl.when("ok").then(ids.movement("charge", pl.col("charge"))),
        status=pl.when("ok").then(pl.lit("succeeded")).otherwise(pl.lit("failed")), paid="ok", captured="ok",
        refunded=refunded == pl.col("amount"), disputed=pl.col("charge").is_in(dispute["pay"].implode()) & pl.col("ok"),
        failure_code=pl.when(~pl.col("ok")).then(pl.lit("card_declined")), created=epoch(pl.col("day")),
        metadata=pl.struct(legal_entity=_NULL),
    )  # fmt: skip


def payment_intents(plan: pl.DataFrame, pay: pl.DataFrame, horizon: Horizon) -> pl.DataFrame:
    """Return payment_intent objects: one per successful charge, and one per invoice nobody could be charged for."""
    good, bad = _tries(plan, pay)
    stuck = bad.filter((pl.col("plan") != LATE) & (pl.col("day") <= horizon.cut))
    both = pl.concat([good.drop("fee").with_columns(ok=pl.lit(value=True)),
                      stuck.select(good.drop("fee").columns).with_columns(ok=pl.lit(value=False))])  # fmt: skip
    return both.select(
        id=ids.stripe("pi", pl.col("intent")),
        object=pl.lit("payment_intent"),
        amount="amount",
        amount_received=pl.when("ok").then("amount").otherwise(0),
        currency=lower(),
        customer=ids.stripe("cus", pl.col("c")),
        status=pl.when("ok").then(pl.lit("succeeded")).otherwise(pl.lit("requires_payment_method")),
        latest_charge=ids.stripe("ch", pl.col("charge")),
        created=epoch(pl.col("day")),
        metadata=pl.struct(legal_entity=_NULL),
    )


def invoice_payments(pay: pl.DataFrame) -> pl.DataFrame:
    """Return invoice_payment objects: what each charge paid of its invoice."""
    card = pay.filter(~pl.col("is_wire"))
    day = epoch(pl.col("paid_on"))
    return card.select(
        id=ids.stripe("inpay", pl.col("pay")),
        object=pl.lit("invoice_payment"),
        invoice=ids.stripe("in", pl.col("inv")),
        amount_paid="applied",
        amount_requested="applied",
        currency=lower(),
        is_default=pl.col("plan") != SPLIT,
        status=pl.lit("paid"),
        created=day,
        payment=pl.struct(type=pl.lit("payment_intent"), payment_intent=ids.stripe("pi", pl.col("pay"))),
        status_transitions=pl.struct(paid_at=day, canceled_at=pl.lit(None, dtype=pl.Int64)),
    )


def refunds(refund: pl.DataFrame) -> pl.DataFrame:
    """Return refund objects of card payments."""
    key = pl.col("rf")
    return refund.filter(~pl.col("is_wire")).select(
        id=ids.stripe("re", key), object=pl.lit("refund"), amount="amount", charge=ids.stripe("ch", pl.col("pay")),
        payment_intent=ids.stripe("pi", pl.col("pay")), currency=lower(), status=pl.lit("succeeded"),
        balance_transaction=ids.movement("refund", key), failure_balance_transaction=_NULL,
        created=epoch(pl.col("refunded_on")), reason=pl.lit("requested_by_customer"),
    )  # fmt: skip


def disputes(dispute: pl.DataFrame) -> pl.DataFrame:
    """Return dispute objects, all closed: won or lost."""
    key, amount, fee = pl.col("pay"), pl.col("amount"), pl.col("dispute_fee")
    out = pl.struct(id=ids.movement("dispute", key), amount=-amount, fee=fee, net=-amount - fee,
                    reporting_category=pl.lit("dispute"))  # fmt: skip
    back = pl.struct(id=ids.movement("reinstatement", key), amount=amount, fee=fee * 0, net=amount,
                     reporting_category=pl.lit("dispute_reversal"))  # fmt: skip
    return dispute.select(
        id=ids.stripe("dp", key),
        object=pl.lit("dispute"),
        amount="amount",
        charge=ids.stripe("ch", key),
        currency=lower(),
        status=pl.when("is_won").then(pl.lit("won")).otherwise(pl.lit("lost")),
        reason=pl.lit("product_not_received"),
        balance_transactions=pl.when("is_won").then(pl.concat_list(out, back)).otherwise(pl.concat_list(out)),
        created=epoch(pl.col("opened_on")),
    )


def credit_notes(credit: pl.DataFrame, refund: pl.DataFrame) -> pl.DataFrame:
    """Return credit_note objects of card customers (all after payment, with their refund)."""
    own = credit.filter(~pl.col("is_wire") & (pl.col("kind") == POST))
    sent = refund.filter(pl.col("source") == "credit").select("inv", "rf")
    frame = own.join(sent, on="inv", how="left", maintain_order="left")
    taxes = (
        pl.when(pl.col("tax") != 0)
        .then(pl.concat_list(pl.struct(amount="tax", tax_behavior=pl.lit("exclusive"), taxable_amount="net")))
        .otherwise(pl.lit([]))
    )
    line = pl.struct(
        id=ids.stripe("cnli", pl.col("cn")), object=pl.lit("credit_note_line_item"), amount="net", quantity=pl.lit(1),
        description=pl.lit("Service credit"), discount_amount=pl.lit(0), type=pl.lit("invoice_line_item"),
        invoice_line_item=ids.stripe("il", pl.col("inv") * INVOICE_LINES), taxes=taxes,
    )  # fmt: skip
    zero = pl.lit(0, dtype=pl.Int64)
    return frame.select(
        id=ids.stripe("cn", pl.col("cn")),
        object=pl.lit("credit_note"),
        number=ids.invoice_number(pl.col("c"), pl.col("n")) + "-CN-01",
        invoice=ids.stripe("in", pl.col("inv")),
        customer=ids.stripe("cus", pl.col("c")),
        currency=lower(),
        amount="total",
        total="total",
        subtotal="net",
        total_excluding_tax="net",
        type=pl.lit("post_payment"),
        status=pl.lit("issued"),
        refund=ids.stripe("re", pl.col("rf")),
        pre_payment_amount=zero,
        post_payment_amount="total",
        customer_balance_transaction=_NULL,
        created=epoch(pl.col("dated_on")),
        voided_at=pl.lit(None, dtype=pl.Int64),
        lines=pl.struct(
            object=pl.lit("list"), data=pl.concat_list(line), has_more=pl.lit(value=False), total_count=pl.lit(1)
        ),
    )


def balance_transactions(moves: pl.DataFrame, payout: pl.DataFrame) -> pl.DataFrame:
    """Return balance_transaction objects; a payout's own row names no payout, only its source."""
    own = moves.select("txn", "kind", "category", "ccy", "moved_on", "amount", "fee", "source", "payout")
    out = payout.select(
        txn=pl.lit("txn_") + pl.col("payout"), kind=pl.lit("payout"), category=pl.lit("payout"), ccy="ccy",
        moved_on="created_on", amount=-pl.col("amount"), fee=pl.lit(0, dtype=pl.Int64), source="payout", payout=_NULL,
    )  # fmt: skip
    arrived = pl.col("payout").is_not_null() | (pl.col("kind") == "payout")
    return (
        pl.concat([own, out])
        .sort("moved_on", "txn")
        .select(
            id="txn",
            object=pl.lit("balance_transaction"),
            type="kind",
            reporting_category="category",
            amount="amount",
            fee="fee",
            net=pl.col("amount") - pl.col("fee"),
            currency=lower(),
            exchange_rate=_NULL,
            source="source",
            created=epoch(pl.col("moved_on")),
            available_on=epoch(pl.col("moved_on"), 12),
            status=pl.when(arrived).then(pl.lit("available")).otherwise(pl.lit("pending")),
            payout="payout",
        )
    )


def payouts(payout: pl.DataFrame) -> pl.DataFrame:
    """Return payout objects; a failed one has its return as ``failure_balance_transaction``."""
    failed = pl.col("status") == "failed"
    trace = pl.struct(status=pl.when(pl.col("status") == "paid").then(pl.lit("supported")).otherwise(pl.lit("pending")),
                      value=pl.when(pl.col("status") == "paid").then("trace"))  # fmt: skip
    return payout.select(
        id="payout",
        object=pl.lit("payout"),
        amount="amount",
        currency=lower(),
        arrival_date=epoch(pl.col("arrival_on"), 0),
        created=epoch(pl.col("created_on")),
        status="status",
        automatic=pl.lit(value=True),
        balance_transaction=pl.lit("txn_") + pl.col("payout"),
        failure_balance_transaction=pl.when(failed).then(pl.lit("txn_f") + pl.col("payout").str.slice(3)),
        failure_code=pl.when(failed).then(pl.lit("account_closed")),
        statement_descriptor=pl.lit("NORTHWIND LEDGER"),
        trace_id=trace,
        metadata=pl.struct(legal_entity=pl.col("entity").cast(pl.String)),
    )
