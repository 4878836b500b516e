"""Applications: what was applied to what."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Applications(Canonical):
    """One row per pair of documents and kind, as one system records it: the only source of "paid"."""

    application_id: str = f.key(
        "`<role>:<id>`; where the system has none, made of both documents' ids.", space="documents", ids=2
    )
    kind: str = f.choice(
        "From what to what.",
        [
            "payment_to_invoice",
            "credit_to_invoice",
            "write_off_to_invoice",
            "refund_to_payment",
            "refund_to_credit",
            "chargeback_to_payment",
        ],
    )
    from_id: str = f.text(
        "Key of what is applied: a payment, refund, chargeback (payments) or a credit memo (invoices).",
        required=True,
        space="documents",
    )
    to_id: str = f.text(
        "Key of what it is applied to: an invoice, a payment or a credit memo.", required=True, space="documents"
    )
    applied_on: pl.Date = f.day("Date from which it counts.", required=True)
    currency: str = f.currency("Currency of the amount: that of the document applied to.")
    amount: f.Money = f.money("Amount applied; negative reverses an earlier application.", at_risk=True)
