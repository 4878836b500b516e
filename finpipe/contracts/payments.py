"""Payments, refunds and chargebacks."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Payments(Canonical):
    """One row per movement of a customer's money. Amounts are positive; `kind` gives the direction."""

    payment_id: str = f.key("`<role>:<id>` of the movement.", space="documents")
    kind: str = f.choice("Money in (payment) or out (refund, chargeback).", ["payment", "refund", "chargeback"])
    status: str = f.choice("Only succeeded movements are cash.", ["succeeded", "pending", "failed", "void"])
    document_number: str = f.text("Number printed on the receipt.")
    external_ref: str = f.text("Id of the same movement in another system, as this system states it (no role prefix).")
    customer_id: str = f.reference("Customer.", to="customers", required=False)
    legal_entity_id: str = f.reference("Entity that receives or pays.", to="legal_entities", required=False)
    original_payment_id: str = f.reference(
        "Payment that a refund or chargeback returns.", to="payments", required=False
    )
    is_undecided: bool = f.flag("A dispute without a verdict: money that moved may come back.", required=False)
    accounting_period_id: str = f.reference(
        "Period it was posted in, where the system says.", to="accounting_periods", required=False
    )
    paid_on: pl.Date = f.day("Value date.", required=True)
    method: str = f.text("Means of payment, in the system's own words.")
    currency: str = f.currency()
    amount: f.Money = f.money("Amount moved, before fees.", at_risk=True)
    fee_amount: f.Money = f.money("Processor's fee, where the system knows it, in the same currency.", required=False)
    exchange_rate: f.Rate = f.rate(
        "Functional units per unit of currency, where the system says.", required=False, positive=True
    )
