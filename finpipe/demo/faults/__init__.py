"""Planted faults: recording errors of the systems, made in their native rows after the truth is told.

Belongs here: the register of codes. The truth is not changed by any of them. Data carries no marker of a fault; the
list is ``truth/faults.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from finpipe.demo.faults import company, documents, files, masters, records, revenue_run, strangers
from finpipe.demo.faults.company import CompanyPlanter
from finpipe.demo.faults.plan import Planter
from finpipe.demo.out import DemoError

__all__ = ["CODES", "chosen", "company", "plant_in_block", "plant_in_company", "revenue_run"]


def _broken_rows(planter: Planter) -> None:
    """DQ-RULE looks two ways: a line without its document, and an amount that is no number."""
    documents.orphan_line(planter)
    masters.unreadable_amount(planter)


def _other_terms(planter: Planter) -> None:
    """ORD-TERMS in two systems: a subscription of other quantity, an order of another customer."""
    masters.order_terms(planter)
    strangers.order_of_another(planter)


def _wrong_customers(planter: Planter) -> None:
    """INV-WRONG-CUST in both kinds of document: credit memos first, as there are few of them, then invoices."""
    strangers.credit_of_another(planter)
    strangers.invoice_of_another(planter)


def _vanished_records(planter: Planter) -> None:
    """DEL-UNSEEN in two systems: a payment of the ERP, an account of the CRM."""
    records.payment_vanished(planter)
    records.account_vanished(planter)


IN_BLOCK: dict[str, Callable[[Planter], None]] = {
    "CUS-MISSING": masters.customer_missing,
    "CUS-MULTI": masters.customer_multiple,
    "CUS-ATTR": masters.customer_attribute,
    "CUS-CYCLE": masters.customer_cycle,
    "PRD-UNMAPPED": documents.product_unmapped,
    "ENT-UNROUTED": documents.entity_unrouted,
    "ORD-MISSING": masters.order_missing,
    "ORD-LATE": masters.order_late,
    "ORD-VALUE": masters.order_value,
    "ORD-TERMS": _other_terms,
    "INV-MISSING-ERP": documents.invoice_missing_in_erp,
    "INV-MISSING-BILL": documents.invoice_missing_in_billing,
    "INV-AMOUNT": documents.invoice_amount,
    "INV-TAX": documents.invoice_tax,
    "INV-CCY": documents.invoice_currency,
    "INV-ENTITY": documents.invoice_entity,
    "INV-PERIOD": documents.invoice_period,
    "INV-DUP": documents.invoice_duplicate,
    "INV-VOID-OPEN": documents.invoice_void_open,
    "PAY-MISSING": documents.payment_missing,
    "PAY-DUP": documents.payment_duplicate,
    "PAY-UNAPPLIED": documents.payment_unapplied,
    "PAY-SHORT": documents.payment_short,
    "PAY-OVER": documents.payment_over,
    "PAY-WRONG-CUST": strangers.payment_of_another,
    "PAY-FEE": documents.payment_fee,
    "REF-UNLINKED": documents.refund_unlinked,
    "DSP-OPEN": documents.dispute_open,
    "FX-RATE": documents.fx_rate,
    "REV-NO-DATES": documents.revenue_without_dates,
    "DQ-RULE": _broken_rows,
    "DISC-EXPIRED": records.discount_expired,
    "DEL-UNSEEN": _vanished_records,
    "LATE-DATA": records.legacy_invoice,
    # Last, so that the victims of the others stay who they were.
    "INV-WRONG-CUST": _wrong_customers,
}
IN_COMPANY: dict[str, Callable[[CompanyPlanter], None]] = {
    "JE-UNBALANCED": company.journal_unbalanced,
    "JE-MANUAL-CONTROL": company.journal_on_control,
    "JE-CLOSED-PERIOD": company.journal_in_closed_period,
    "IC-UNPAIRED": company.intercompany_unpaired,
    "FX-MISSING": company.rate_missing,
    "REV-SCHEDULE": company.revenue_schedule,
    "REV-UNPLANNED": company.revenue_unplanned,
    "SEQ": company.statement_gap,
    "CTRL-TOTAL": company.wrong_totals,
    "DQ-SCHEMA": files.misshapen,
    "DRIFT-BREAKING": files.renamed_columns,
}
IN_BANK = ("PAYOUT-TRANSIT", "BANK-UNKNOWN")
CODES: tuple[str, ...] = (*IN_BLOCK, *IN_COMPANY, *IN_BANK)


def chosen(faults: str) -> frozenset[str]:
    """Return the codes asked for: ``none``, ``all``, or codes separated by commas. Raises DemoError."""
    if faults == "none":
        return frozenset()
    if faults == "all":
        return frozenset(CODES)
    asked = [code.strip().upper() for code in faults.split(",")]
    unknown = _unknown(asked)
    if unknown:
        raise DemoError(f"no such fault: {', '.join(unknown)}; known are none, all, {', '.join(CODES)}")
    return frozenset(asked)


def _unknown(asked: Iterable[str]) -> list[str]:
    return [code or "(empty)" for code in asked if code not in CODES]


def plant_in_block(planter: Planter, codes: frozenset[str]) -> None:
    """Plant the codes that touch a block, in the fixed order of the register."""
    for code, plant in IN_BLOCK.items():
        if code in codes:
            plant(planter)


def plant_in_company(planter: CompanyPlanter, codes: frozenset[str]) -> None:
    """Plant the codes that touch what crosses customers."""
    for code, plant in IN_COMPANY.items():
        if code in codes:
            plant(planter)
