"""Movements of the balance kept at the payment processor."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class ProcessorTransactions(Canonical):
    """One row per movement of the processor balance; positive raises it. net = gross − fee."""

    processor_transaction_id: str = f.key("`billing:<id>` of the balance transaction.")
    kind: str = f.choice(
        "What moved the balance.",
        ["charge", "refund", "dispute", "fee", "adjustment", "payout", "transfer", "other"],
    )
    native_kind: str = f.text("The processor's own word for it.")
    source_ref: str = f.text("Id of the charge, refund, dispute or payout behind it (no role prefix).")
    payout_id: str = f.reference("Payout that paid it out.", to="payouts", required=False)
    created_on: pl.Date = f.day("Date of the movement.", required=True)
    available_on: pl.Date = f.day("Date from which it can be paid out.")
    currency: str = f.currency("Settlement currency.")
    gross_amount: f.Money = f.money("Signed amount before fee.")
    fee_amount: f.Money = f.money("Fee, positive when charged.")
    net_amount: f.Money = f.money("Signed change of the balance.", at_risk=True)
