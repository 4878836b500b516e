"""Invoices and the documents that correct them."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Invoices(Canonical):
    """One row per document of one system. Amounts are positive; `kind` says which way they count.

    `net_amount` is after discount and without tax; total = net + tax.
    """

    invoice_id: str = f.key("`<role>:<id>` of the document.", space="documents")
    kind: str = f.choice(
        "What the document does to the receivable.", ["invoice", "credit_memo", "debit_memo", "write_off"]
    )
    status: str = f.choice("Draft (not issued), posted, or void.", ["draft", "posted", "void"])
    document_number: str = f.text("Number printed on the document.")
    external_ref: str = f.text("Id of the same document in another system, as this system states it (no role prefix).")
    customer_id: str = f.reference("Customer billed.", to="customers", required=False)
    legal_entity_id: str = f.reference("Entity that issues.", to="legal_entities", required=False)
    contract_id: str = f.reference("Contract or subscription billed.", to="contracts", required=False)
    opportunity_ref: str = f.text("Key of the CRM opportunity, as the document states it.", space="opportunities")
    original_invoice_id: str = f.reference(
        "Invoice that a credit memo corrects, where stated.", to="invoices", required=False
    )
    accounting_period_id: str = f.reference(
        "Period it was posted in, where the system says.", to="accounting_periods", required=False
    )
    issued_on: pl.Date = f.day("Document date.", required=True)
    due_on: pl.Date = f.day("Due date.")
    voided_on: pl.Date = f.day("Date of voiding.")
    currency: str = f.currency("Currency of the document.")
    gross_amount: f.Money = f.money("Before discount and tax.")
    discount_amount: f.Money = f.money("Discount, positive.")
    net_amount: f.Money = f.money("After discount, without tax.")
    tax_amount: f.Money = f.money("Tax.")
    total_amount: f.Money = f.money("Net plus tax: what the customer owes by the document.", at_risk=True)
    open_amount: f.Money = f.money(
        "What the system itself says is still to pay; null when it does not say.", required=False
    )
    exchange_rate: f.Rate = f.rate(
        "Functional units per unit of document currency, where the system says.",
        required=False,
        positive=True,
    )
