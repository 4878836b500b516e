"""Salesforce's shape: Bulk API 2.0 CSV. Account comes twice: before and after the rename and the merge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from . import company as co
from .crm_ids import numbered_id, salesforce_id
from .files import Row, csv_text
from .ledger import Ledger, contract_value
from .money import EXPONENT, add_months, minor, text
from .write_netsuite import CUSTOMER_ID, tax_id

FIRST_EXTRACT = date(2024, 6, 30)
REFUSED = ("DUN2", "1,234.56")  # a one-time line whose TotalPrice no CSV of numbers should hold
DAY = timedelta(days=1)


def salesforce_files(ledger: Ledger) -> dict[str, str]:
    return {
        f"Account_{FIRST_EXTRACT}.csv": csv_text(accounts(FIRST_EXTRACT)),
        f"Account_{co.LAST}.csv": csv_text(accounts(co.LAST)),
        "Opportunity.csv": csv_text(opportunity(ledger, d) for d in co.DEALS),
        "OpportunityLineItem.csv": csv_text(opportunity_lines()),
        "Product2.csv": csv_text(products()),
        "Contract.csv": csv_text(contract(n, d) for n, d in enumerate(has_contract(), 1)),
        "Order.csv": csv_text(order(n, d) for n, d in enumerate((d for d in co.DEALS if d.ordered), 1)),
        "CurrencyType.csv": csv_text(currency_types()),
        "DatedConversionRate.csv": csv_text(dated_rates()),
    }


def has_contract() -> list[co.Deal]:
    return [d for d in co.DEALS if d.ordered and d.term]


def stamp(on: date) -> str:
    return f"{on}T08:30:00.000Z"


def true(value: object) -> str:
    return "true" if value else "false"


def accounts(upto: date) -> Iterator[Row]:
    for c in co.CUSTOMERS:
        renamed = c.key == co.RENAMED[0]
        name = co.RENAMED[1] if renamed and upto < co.RENAMED[2] else c.name
        changed = co.RENAMED[2] if renamed and upto >= co.RENAMED[2] else c.since
        yield account(c.key, c, name, changed, merged=False)
    winner, name, day = co.MERGED
    changed = day if upto >= day else co.CUSTOMER[winner].since
    yield account("DUP", co.CUSTOMER[winner], name, changed, merged=upto >= day)


def account(key: str, c: co.Customer, name: str, changed: date, *, merged: bool) -> Row:
    duplicate = key == "DUP"
    return {
        "Id": salesforce_id("001", key), "Name": name,
        "ParentId": salesforce_id("001", c.parent) if c.parent else None,
        "MasterRecordId": salesforce_id("001", c.key) if merged else None, "IsDeleted": true(merged),
        "Website": f"https://www.{c.domain}", "BillingCountryCode": c.country, "CurrencyIsoCode": c.currency,
        "Tax_Id__c": None if duplicate else tax_id(c),
        "ERP_Customer_Id__c": None if duplicate else CUSTOMER_ID.get(c.key),
        "Billing_Customer_Id__c": f"cus_{key}" if c.channel == "stripe" else None,
        "CreatedDate": stamp(c.since), "LastModifiedDate": stamp(changed), "SystemModstamp": stamp(changed),
    }  # fmt: skip


def opportunity(ledger: Ledger, d: co.Deal) -> Row:
    currency = co.CUSTOMER[d.customer].currency
    amount = sum(contract_value(d, i) for i in d.items if not i.deleted)
    if d.key == REFUSED[0]:
        amount += minor(REFUSED[1].replace(",", ""), currency)
    changed = min(co.LAST, (d.signed or d.closed) + DAY)
    order = ledger.by_key.get(f"order-{d.key}")
    return {
        "Id": salesforce_id("006", d.key), "AccountId": salesforce_id("001", d.customer), "Name": d.name,
        "StageName": d.stage, "Type": d.kind, "Amount": text(amount, currency), "CurrencyIsoCode": currency,
        "CloseDate": d.closed, "IsClosed": true(d.stage.startswith("Closed")),
        "IsWon": true(d.stage == "Closed Won"), "IsDeleted": true(d.deleted),
        "ContractId": salesforce_id("800", d.key) if d in has_contract() else None, "Signed_Date__c": d.signed,
        "ERP_Order_Id__c": order.id if order else None, "CreatedDate": stamp(min(co.LAST, d.closed) - 30 * DAY),
        "LastModifiedDate": stamp(changed), "SystemModstamp": stamp(changed),
    }  # fmt: skip


def opportunity_lines() -> Iterator[Row]:
    number = 0
    for d in co.DEALS:
        for i in d.items:
            number += 1
            yield opportunity_line(number, d, i, text(contract_value(d, i), co.CUSTOMER[d.customer].currency))
    deal = co.DEAL[REFUSED[0]]
    bad = co.Item("ONBO", 1, REFUSED[1].replace(",", ""), note="amount typed with a thousands separator")
    yield opportunity_line(number + 1, deal, bad, REFUSED[1])


def opportunity_line(number: int, d: co.Deal, i: co.Item, total: str) -> Row:
    """UnitPrice is for the whole term, so that Quantity x UnitPrice less Discount % = TotalPrice."""
    currency, product = co.CUSTOMER[d.customer].currency, co.PRODUCT[i.product]
    months = i.months or d.term
    start = add_months(d.start, i.after)
    unit = Decimal(i.price) * (months if product.recurring else 1)
    return {
        "Id": numbered_id("00k", number), "OpportunityId": salesforce_id("006", d.key),
        "Product2Id": salesforce_id("01t", i.product), "Quantity": i.quantity,
        "UnitPrice": f"{unit:.{EXPONENT[currency]}f}", "Discount": i.discount_pct, "TotalPrice": total,
        "ServiceDate": start, "End_Date__c": add_months(start, months) - DAY if product.recurring else None,
        "Term_Months__c": months if product.recurring else None,
        "Charge_Type__c": "Recurring" if product.recurring else "One-Time", "Description": i.note,
        "CurrencyIsoCode": currency, "IsDeleted": true(i.deleted or d.deleted),
        "CreatedDate": stamp(min(co.LAST, d.closed) - 30 * DAY), "SystemModstamp": stamp(min(co.LAST, d.closed)),
    }  # fmt: skip


def products() -> Iterator[Row]:
    for p in co.PRODUCTS:
        yield {"Id": salesforce_id("01t", p.key), "Name": p.name, "ProductCode": p.key, "Family": p.family,
               "IsActive": "true", "IsDeleted": "false", "Charge_Type__c": "Recurring" if p.recurring else "One-Time",
               "SystemModstamp": stamp(co.FIRST)}  # fmt: skip


def contract(number: int, d: co.Deal) -> Row:
    return {
        "Id": salesforce_id("800", d.key), "AccountId": salesforce_id("001", d.customer),
        "ContractNumber": f"{number:08d}", "Status": "Activated", "StartDate": d.start,
        "EndDate": add_months(d.start, d.term) - DAY, "ContractTerm": d.term, "CustomerSignedDate": d.signed,
        "CompanySignedDate": d.signed, "CurrencyIsoCode": co.CUSTOMER[d.customer].currency, "IsDeleted": "false",
        "SystemModstamp": stamp(d.signed or d.closed),
    }  # fmt: skip


def order(number: int, d: co.Deal) -> Row:
    currency = co.CUSTOMER[d.customer].currency
    return {
        "Id": salesforce_id("801", d.key), "AccountId": salesforce_id("001", d.customer),
        "ContractId": salesforce_id("800", d.key) if d.term else None, "OpportunityId": salesforce_id("006", d.key),
        "OrderNumber": f"{100 + number:08d}", "Status": "Activated", "EffectiveDate": d.start,
        "EndDate": add_months(d.start, d.term) - DAY if d.term else None,
        "TotalAmount": text(sum(contract_value(d, i) for i in d.items if not i.deleted), currency),
        "CurrencyIsoCode": currency, "IsReductionOrder": "false", "IsDeleted": "false",
        "SystemModstamp": stamp(d.signed or d.closed),
    }  # fmt: skip


def per_dollar(currency: str, on: date) -> str:
    return f"{1 / co.spot('USD', currency, on):.6f}"


def currency_types() -> Iterator[Row]:
    for n, c in enumerate(co.CURRENCIES, 1):
        yield {"Id": numbered_id("01L", n), "IsoCode": c, "ConversionRate": per_dollar(c, co.LAST),
               "DecimalPlaces": EXPONENT[c], "IsActive": "true", "IsCorporate": true(c == "USD"),
               "SystemModstamp": stamp(co.FIRST)}  # fmt: skip


def dated_rates() -> Iterator[Row]:
    """One rate a quarter, in units per US dollar."""
    number = 0
    for k in range(0, 18, 3):
        start = add_months(co.FIRST, k)
        for c in co.CURRENCIES[1:]:
            number += 1
            yield {"Id": numbered_id("04w", number), "IsoCode": c, "StartDate": start,
                   "NextStartDate": add_months(start, 3), "ConversionRate": per_dollar(c, start),
                   "SystemModstamp": stamp(start)}  # fmt: skip
