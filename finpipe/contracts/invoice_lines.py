"""Invoice lines."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class InvoiceLines(Canonical):
    """One row per line of a document, tax lines excluded. Amounts are positive like the document's."""

    invoice_line_id: str = f.key("`<role>:<id>` of the line.", space="documents")
    invoice_id: str = f.reference("Document the line belongs to.", to="invoices", must_exist=True)
    contract_id: str = f.reference(
        "Contract or subscription that the line bills, where the line says so.", to="contracts", required=False
    )
    line_number: int = f.whole("Position on the document.")
    product_id: str = f.reference("Product billed.", to="products", required=False)
    description: str = f.text("Text of the line.")
    quantity: f.Rate = f.rate("Units.", required=False)
    unit_price: f.Rate = f.rate("Price per unit.", required=False)
    gross_amount: f.Money = f.money("Before discount and tax.")
    discount_amount: f.Money = f.money("Discount, positive.")
    net_amount: f.Money = f.money("After discount, without tax.", at_risk=True)
    discount_ends_on: pl.Date = f.day(
        "Last day of the discount given, where the system says; the earliest of several discounts."
    )
    tax_amount: f.Money = f.money("Tax on the line, where the system states it by line.", required=False)
    tax_pct: f.Rate = f.rate(
        "Rate of the tax on top of the line, in percent, where the system states one.", required=False
    )
    currency: str = f.currency("Currency of the document.")
    service_starts_on: pl.Date = f.day("First day of the service billed.")
    service_ends_on: pl.Date = f.day("Last day of the service billed, inclusive.")
