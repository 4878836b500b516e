"""Customers, as each system knows them."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Customers(Canonical):
    """One row per customer record of one system; the golden customer is built from these, never at the gate.

    Source of the cross references: fields that the company keeps for them, named in the system's description.
    """

    customer_id: str = f.key("`<role>:<id>` of the account (CRM) or customer (billing, ERP).")
    name: str = f.text("Name as the system shows it.", personal=True)
    parent_customer_id: str = f.reference("Parent in the system's own hierarchy.", to="customers", required=False)
    merged_into_customer_id: str = f.reference(
        "Survivor of a merge, when the record lost one.", to="customers", required=False
    )
    crm_customer_id: str = f.reference(
        "Counterpart in the CRM, as this system states it.", to="customers", required=False
    )
    billing_customer_id: str = f.reference(
        "Counterpart in billing, as this system states it.", to="customers", required=False
    )
    erp_customer_id: str = f.reference(
        "Counterpart in the ERP, as this system states it.", to="customers", required=False
    )
    tax_id: str = f.text("Tax registration, as written.", personal=True)
    email: str = f.text("Billing address for mail.", personal=True)
    website: str = f.text("Web address; its domain helps to identify the customer.")
    country: str = f.text("ISO 3166 country code.")
    city: str = f.text("City of the billing address, as written.")
    postal_code: str = f.text("Post code of the billing address, as written.")
    currency: str = f.currency("Currency the customer is billed in.", required=False)
    terms: str = f.text("Payment terms, in the system's own words.")
    created_at: f.Instant = f.instant("When the system created the record.")
