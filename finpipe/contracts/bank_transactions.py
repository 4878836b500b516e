"""Lines of bank statements."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class BankTransactions(Canonical):
    """One row per statement line, signed: positive is money in."""

    bank_transaction_id: str = f.key(
        "`bank:<id>`; where the bank gives none, made of the line's content and its occurrence."
    )
    bank_account: str = f.text("Account number, as the bank writes it.", required=True, personal=True)
    legal_entity_id: str = f.reference(
        "Entity that owns the account, where known.", to="legal_entities", required=False
    )
    statement_ref: str = f.text("Statement the line stands on.")
    line_number: int = f.whole("Number of the line on its statement, where the bank gives it.")
    booked_on: pl.Date = f.day("Booking date.", required=True)
    value_on: pl.Date = f.day("Value date.")
    currency: str = f.currency()
    amount: f.Money = f.money("Signed amount: credit positive.", at_risk=True)
    bank_ref: str = f.text("The bank's own reference.")
    end_to_end_ref: str = f.text("Reference that travelled with the payment.")
    description: str = f.text("Text of the line.", personal=True)
    counterparty: str = f.text("Other party.", personal=True)
    balance_amount: f.Money = f.money("Balance after the line, where the bank gives it.", required=False)
