"""The processor's balance, its payouts, and the bank accounts.

Belongs here: what crosses customers, so it is worked out once, after all blocks: payouts per entity and week, bank
statements and fees. Does not: what customers owe (``cash``, ``ledger``), the entries that follow (``books``).

Payouts: the movements of a week (seven days from the start of the horizon) are paid out the day after it ends, to
arrive two days later. A week whose net is not positive is carried into the next. About one payout in 29 fails the day
after it should have arrived; its money returns to the balance and leaves with the next payout. At the cut, movements
without payout and payouts not yet arrived are honestly open (``timing``).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from finpipe.demo import ids
from finpipe.demo.exact import decimal_text
from finpipe.demo.ledger import wire_reference
from finpipe.demo.world import (
    CURRENCY_ID,
    DIGITS,
    ENTITIES,
    Entity,
    Horizon,
    entity_currencies,
    list_price,
)

_COLUMNS = ["txn", "kind", "category", "entity", "ccy", "moved_on", "amount", "fee", "source"]
STRIPE_FEE_USD, BANK_FEE_USD, CAPITAL_USD, SERVICE_USD = 2_500, 1_800, 25_000_000, 1_250_000


def movements(pay: pl.DataFrame, refund: pl.DataFrame, dispute: pl.DataFrame) -> pl.DataFrame:
    """Return customers' balance transactions. Grain: ``txn``. Minor units; net = amount - fee; ``source`` is an id."""
    card = pay.filter(~pl.col("is_wire"))
    back = refund.filter(~pl.col("is_wire"))
    won = dispute.filter("is_won")
    key, nothing = pl.col("pay"), pl.lit(0, dtype=pl.Int64)

    def rows(frame: pl.DataFrame, kind: str, category: str, **given: pl.Expr) -> pl.DataFrame:
        return frame.select("entity", "ccy", kind=pl.lit(kind), category=pl.lit(category), **given).select(_COLUMNS)

    return pl.concat(
        [
            rows(
                card,
                "charge",
                "charge",
                txn=ids.movement("charge", key),
                moved_on=pl.col("paid_on"),
                amount=pl.col("amount"),
                fee=pl.col("fee"),
                source=ids.stripe("ch", key),
            ),
            rows(
                back,
                "refund",
                "refund",
                txn=ids.movement("refund", pl.col("rf")),
                moved_on=pl.col("refunded_on"),
                amount=-pl.col("amount"),
                fee=nothing,
                source=ids.stripe("re", pl.col("rf")),
            ),
            rows(
                dispute,
                "adjustment",
                "dispute",
                txn=ids.movement("dispute", key),
                moved_on=pl.col("opened_on"),
                amount=-pl.col("amount"),
                fee=pl.col("dispute_fee"),
                source=ids.stripe("dp", key),
            ),
            rows(
                won,
                "adjustment",
                "dispute_reversal",
                txn=ids.movement("reinstatement", key),
                moved_on=pl.col("closed_on"),
                amount=pl.col("amount"),
                fee=nothing,
                source=ids.stripe("dp", key),
            ),
        ]
    )


def stripe_fees(horizon: Horizon) -> pl.DataFrame:
    """Return the processor's own monthly charges, taken from the balance on the last day of each month."""
    rows = []
    for e in ENTITIES:
        amount = -list_price(STRIPE_FEE_USD, e.currency)
        for no, day in enumerate(_month_ends(horizon)):
            name = f"txn_fee{e.no}{no:03d}"
            rows.append((name, "stripe_fee", "fee", e.no, e.currency, day, amount, 0, f"fee_{e.no}{no:03d}"))
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row").cast({"moved_on": pl.Date})


def _month_ends(horizon: Horizon) -> list[date]:
    days = horizon.days()
    return [d for d in days if (d + timedelta(days=1)).day == 1]


def payouts(moves: pl.DataFrame, seed: int, horizon: Horizon) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (payouts, movements with their ``payout``), failures included. Grain: payout; ``txn``.

    A payout's amount is the net of the movements that name it; ``cleared`` and ``fees`` are their gross and fee.
    """
    weekly = (pl.col("moved_on") - pl.lit(horizon.start)).dt.total_days() // 7
    moves = moves.with_columns(week=weekly)
    # The processor's own charges are a fee to the ledger, whatever column the processor shows them in.
    own = pl.when(pl.col("kind") == "stripe_fee").then("amount").otherwise(0)
    sums = moves.group_by("entity", "week").agg((pl.col("amount") - own).sum(), (pl.col("fee") - own).sum())
    sums = sums.sort("entity", "week")
    found: list[dict[str, object]] = []
    paid_in: list[tuple[int, int, str]] = []
    returned: list[tuple[object, ...]] = []
    by_week = {(e, w): (a, f) for e, w, a, f in sums.iter_rows()}
    for entity in ENTITIES:
        _pay_out(entity, by_week, seed, horizon, (found, paid_in, returned))
    weeks = pl.DataFrame(paid_in, schema={"entity": pl.Int64, "week": pl.Int64, "payout": pl.String}, orient="row")
    failed = pl.DataFrame(returned, schema=[*_COLUMNS, "week"], orient="row", schema_overrides=moves.schema)
    every = pl.concat([moves, failed.select(moves.columns)])
    every = every.join(weeks, on=["entity", "week"], how="left", maintain_order="left")
    return pl.DataFrame(found), every


def _pay_out(
    entity: Entity, by_week: dict[tuple[int, int], tuple[int, int]], seed: int, horizon: Horizon,
    kept: tuple[list[dict[str, object]], list[tuple[int, int, str]], list[tuple[object, ...]]],
) -> None:  # fmt: skip
    """Walk the weeks of one entity; append to (payouts, weeks paid by them, failures returned to the balance)."""
    found, paid_in, returned = kept
    gross = fees = back_gross = back_fees = 0
    waiting: list[int] = []
    for week in range((horizon.cut - horizon.start).days // 7 + 1):
        created = horizon.start + timedelta(days=7 * (week + 1))
        amount, fee = by_week.get((entity.no, week), (0, 0))
        # A failure's return is a movement of this week, not of the ledger: the clearing account never lost it.
        gross, fees = gross + amount + back_gross, fees + fee + back_fees
        back_gross = back_fees = 0
        waiting.append(week)
        if created > horizon.cut or gross - fees <= 0:
            continue
        arrival = created + timedelta(days=2)
        failed_on = created + timedelta(days=3)
        fails = (week * 7 + entity.no * 5 + seed) % 29 == 3 and failed_on <= horizon.cut
        id_ = f"po_1N{entity.no}{week:04d}{(week * 7919 + entity.no) % 9973:04d}"
        status = "failed" if fails else "paid" if arrival <= horizon.cut else "in_transit"
        found.append({
            "payout": id_, "entity": entity.no, "ccy": entity.currency, "week": week, "created_on": created,
            "arrival_on": arrival, "status": status, "amount": gross - fees, "cleared": gross, "fees": fees,
            "failed_on": failed_on if fails else None, "trace": f"TRC{entity.no}{week:04d}{week * 104729 % 99991:05d}",
        })  # fmt: skip
        paid_in.extend((entity.no, w, id_) for w in waiting)
        if fails:
            returned.append((f"txn_f{id_[3:]}", "payout_failure", "payout_reversal", entity.no, entity.currency,
                             failed_on, gross - fees, 0, id_, week + 1))  # fmt: skip
            back_gross, back_fees = gross, fees
        gross = fees = 0
        waiting = []


def wires(pay: pl.DataFrame, parts: pl.DataFrame, refund: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return bank entries of customers: receipts that name the invoices they pay, and money sent back."""
    number = ids.invoice_number(pl.col("c"), pl.col("n"))
    named = parts.with_columns(number=number).group_by("pay", maintain_order=True).agg(pl.col("number").str.join(" "))
    names = accounts.select("c", counterparty="name")
    got = pay.filter("is_wire").join(named, on="pay", how="left", maintain_order="left")
    got = got.join(names, on="c", how="left", maintain_order="left")
    sent = refund.filter("is_wire").join(names, on="c", how="left", maintain_order="left")
    return pl.concat([
        got.select("entity", "ccy", value_on="paid_on", amount="amount", e2e=wire_reference(pl.col("pay")),
                   description=pl.lit("INVOICE ") + pl.col("number"), counterparty="counterparty",
                   key=pl.lit("ch") + pl.col("pay").cast(pl.String)),
        sent.select("entity", "ccy", value_on="refunded_on", amount=-pl.col("amount"),
                    e2e=pl.lit("RFD") + pl.col("rf").cast(pl.String).str.zfill(10),
                    description=pl.lit("REFUND OF OVERPAYMENT ") + number, counterparty="counterparty",
                    key=pl.lit("re") + pl.col("rf").cast(pl.String)),
    ])  # fmt: skip


def payout_entries(payout: pl.DataFrame) -> pl.DataFrame:
    """Return the bank entries of payouts that arrived."""
    return payout.filter(pl.col("status") == "paid").select(
        "entity", "ccy", value_on="arrival_on", amount="amount", e2e="trace",
        description=pl.lit("STRIPE PAYOUT ") + pl.col("payout"), counterparty=pl.lit("Stripe"), key="payout",
    )  # fmt: skip


def bank_fees(horizon: Horizon) -> pl.DataFrame:
    """Return the bank's monthly fee on each account."""
    rows = []
    for e in ENTITIES:
        for ccy in entity_currencies(e):
            for no, day in enumerate(_month_ends(horizon)):
                ref = f"FEE{e.no}{CURRENCY_ID[ccy]}{no:03d}"
                memo = f"ACCOUNT FEE {day:%Y-%m}"
                rows.append((e.no, ccy, day, -list_price(BANK_FEE_USD + 160 * e.no, ccy), ref, memo, "Bank", ref))
    schema = ["entity", "ccy", "value_on", "amount", "e2e", "description", "counterparty", "key"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def opening_balances() -> pl.DataFrame:
    """Return the capital paid into each bank account before the first day. Grain: entity x currency."""
    rows = [(e.no, c, list_price(CAPITAL_USD, c) * (10 if c == e.currency else 1)) for e in ENTITIES
            for c in entity_currencies(e)]  # fmt: skip
    return pl.DataFrame(rows, schema=["entity", "ccy", "opening"], orient="row")


def statement(entries: pl.DataFrame) -> pl.DataFrame:
    """Return bank lines with statement, line number and running balance. Grain: account x statement x line."""
    ordered = entries.sort("entity", "ccy", "value_on", "key").join(
        opening_balances(), on=["entity", "ccy"], how="left", maintain_order="left"
    )
    account = ["entity", "ccy"]
    month = pl.col("value_on").dt.strftime("%Y-%m")
    number = pl.col("entity").cast(pl.String) + pl.col("ccy").replace_strict(CURRENCY_ID).cast(pl.String)
    return ordered.with_columns(
        balance=pl.col("opening") + pl.col("amount").cum_sum().over(account),
        month=month,
        bank_ref=pl.lit("BK") + number + pl.int_range(1, pl.len() + 1).over(account).cast(pl.String).str.zfill(7),
    ).with_columns(line_number=pl.int_range(1, pl.len() + 1).over([*account, "month"]))


def bank_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the bank's own rows: one statement per account and month, credit positive, balance after each line."""
    account = pl.concat_str(
        [pl.col("entity").cast(pl.String).str.zfill(2), pl.lit("-40017-"), pl.col("ccy")], separator=""
    )
    digits = pl.col("ccy").replace_strict(DIGITS, return_dtype=pl.Int64)
    day = pl.col("value_on").dt.to_string("%Y-%m-%d")
    return lines.select(
        statement_id=account + "-" + pl.col("month"),
        account_id=account,
        line_number=pl.col("line_number").cast(pl.String),
        booking_date=day,
        value_date=day,
        amount=decimal_text(pl.col("amount"), digits),
        currency="ccy",
        bank_reference="bank_ref",
        end_to_end_reference="e2e",
        description="description",
        counterparty="counterparty",
        balance_after=decimal_text(pl.col("balance"), digits),
    )
