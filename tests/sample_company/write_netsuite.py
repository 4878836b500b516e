"""NetSuite's shape: SuiteAnalytics tables as CSV, currencyrate as two SuiteQL REST pages.

Transactions come in two extracts, as a connector delivers them: the state at the end of 2024, then what is new
or changed since (a 2024 invoice paid in 2025 appears in both).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from . import company as co
from .crm_ids import salesforce_id
from .files import Row, csv_text, json_text, yes
from .ledger import ACCOUNTS, Document, Ledger, Posting, rate_on
from .money import add_months, month_end, text

YEAR_END = date(2024, 12, 31)
CURRENCY_ID = {c: n for n, c in enumerate(co.CURRENCIES, 1)}
CUSTOMER_ID = {c.key: 501 + n for n, c in enumerate(c for c in co.CUSTOMERS if c.channel != "none")}
ITEM_ID = {p.key: 701 + n for n, p in enumerate(co.PRODUCTS)}
DISCOUNT_ITEM, TAX_ITEM = 798, 799
FIRST_MONTH_ID = 12  # ids of accounting periods: 1-2 years, 3-10 quarters, 12-35 months
LOCKED_UPTO, AR_LOCKED_UPTO = date(2025, 3, 31), date(2025, 4, 30)
ORPHAN_LINE = "990001"  # refused: its transaction does not exist


def netsuite_files(ledger: Ledger) -> dict[str, str]:
    early = [d for d in ledger.documents if d.on <= YEAR_END]
    late = [d for d in ledger.documents if d.on > YEAR_END]
    changed = [d for d in early if not d.deleted and last_change(ledger, d) > YEAR_END]
    files = {
        "customer.csv": csv_text(customers()),
        "item.csv": csv_text(items()),
        "subsidiary.csv": csv_text(subsidiaries()),
        "account.csv": csv_text(accounts()),
        "accountingperiod.csv": csv_text(periods()),
        "currency.csv": csv_text(currencies()),
        "consolidatedexchangerate.csv": csv_text(consolidated_rates()),
        "transaction_2024-12-31.csv": csv_text(header(ledger, d, YEAR_END) for d in early),
        "transaction_2025-06-30.csv": csv_text(header(ledger, d, co.LAST) for d in [*changed, *late]),
        "transactionline_2024-12-31.csv": csv_text(r for d in early for r in lines(d)),
        "transactionline_2025-06-30.csv": csv_text([*(r for d in late for r in lines(d)), orphan_line()]),
        "transactionaccountingline_2024-12-31.csv": csv_text(r for d in early for r in accounting_lines(d)),
        "transactionaccountingline_2025-06-30.csv": csv_text(r for d in late for r in accounting_lines(d)),
        "nexttransactionlinelink.csv": csv_text(links(ledger)),
        "deletedrecord.csv": csv_text(deleted_records(ledger)),
    }
    return files | rate_pages()


def stamp(on: date, hour: int = 10) -> str:
    return f"{on} {hour:02d}:15:00"


# ── master data ───────────────────────────────────────────────────────────────────────────────────────────────────


def customers() -> Iterator[Row]:
    for c in (c for c in co.CUSTOMERS if c.key in CUSTOMER_ID):
        old_name = co.RENAMED[1] if c.key == co.RENAMED[0] else c.name  # the ERP missed the rename
        yield {
            "id": CUSTOMER_ID[c.key], "entityid": f"C-{c.key}", "companyname": old_name,
            "parent": CUSTOMER_ID[c.parent] if c.parent else None, "currency": CURRENCY_ID[c.currency],
            "subsidiary": co.ENTITY_OF_CURRENCY[c.currency].number, "email": f"billing@{c.domain}",
            "url": f"https://{c.domain}", "vatregnumber": tax_id(c), "terms": "Net 30",
            "externalid": salesforce_id("001", c.key), "custentity_crm_account_id": salesforce_id("001", c.key),
            "custentity_billing_customer_id": f"cus_{c.key}" if c.channel == "stripe" else None,
            "isinactive": "F", "datecreated": stamp(c.since), "lastmodifieddate": stamp(c.since),
        }  # fmt: skip


def tax_id(customer: co.Customer) -> str:
    return f"{customer.country}{700000000 + 7919 * (1 + co.CUSTOMERS.index(customer))}"


def items() -> Iterator[Row]:
    for p in co.PRODUCTS:
        kind = "NonInvtPart" if p.family == "Hardware" else "Service"
        yield item(ITEM_ID[p.key], p.key, p.name, kind)
    yield item(DISCOUNT_ITEM, "DISC", "Discount", "Discount")
    yield item(TAX_ITEM, "TAX", "Sales tax or VAT", "TaxItem")


def item(id_: int, code: str, name: str, kind: str) -> Row:
    return {"id": id_, "itemid": code, "displayname": name, "itemtype": kind, "externalid": f"prod_{code}",
            "isinactive": "F", "createddate": stamp(co.FIRST), "lastmodifieddate": stamp(co.FIRST)}  # fmt: skip


def subsidiaries() -> Iterator[Row]:
    for e in (co.US, co.UK):
        yield {"id": e.number, "name": e.name, "legalname": e.legal_name, "currency": CURRENCY_ID[e.functional],
               "parent": None if e is co.US else co.US.number, "country": e.country, "iselimination": "F",
               "isinactive": "F", "fiscalcalendar": 1, "lastmodifieddate": stamp(co.FIRST)}  # fmt: skip


def accounts() -> Iterator[Row]:
    for id_, number, name, kind in ACCOUNTS.values():
        yield {"id": id_, "acctnumber": number, "accountsearchdisplayname": f"{number} {name}", "fullname": name,
               "accttype": kind, "parent": None, "isinactive": "F", "lastmodifieddate": stamp(co.FIRST)}  # fmt: skip


def periods() -> Iterator[Row]:
    for k in range(2):
        yield period(1 + k, f"FY {2024 + k}", date(2024 + k, 1, 1), 12, None)
    for k in range(8):
        yield period(3 + k, f"Q{k % 4 + 1} {2024 + k // 4}", add_months(co.FIRST, 3 * k), 3, 1 + k // 4)
    for k in range(24):
        start = add_months(co.FIRST, k)
        yield period(FIRST_MONTH_ID + k, f"{start:%b %Y}", start, 1, 3 + k // 3)


def period(id_: int, name: str, start: date, months: int, parent: int | None) -> Row:
    end = add_months(start, months) - timedelta(days=1)
    closed = end <= LOCKED_UPTO
    return {"id": id_, "periodname": name, "startdate": start, "enddate": end, "isquarter": yes(months == 3),
            "isyear": yes(months == 12), "isadjust": "F", "isposting": yes(months == 1),
            "arlocked": yes(end <= AR_LOCKED_UPTO), "alllocked": yes(closed), "closed": yes(closed),
            "closedondate": stamp(end + timedelta(days=12)) if closed else None, "parent": parent,
            "fiscalcalendar": 1, "lastmodifieddate": stamp(max(co.FIRST, min(end, co.LAST)))}  # fmt: skip


def currencies() -> Iterator[Row]:
    names = {"USD": "US Dollar", "GBP": "British Pound", "EUR": "Euro", "JPY": "Japanese Yen"}
    for c, id_ in CURRENCY_ID.items():
        yield {"id": id_, "name": names[c], "symbol": c, "currencyprecision": 0 if c == "JPY" else 2,
               "isbasecurrency": yes(c == "USD"), "exchangerate": co.spot("USD", c, co.LAST),
               "isinactive": "F", "lastmodifieddate": stamp(co.FIRST)}  # fmt: skip


def rate_pages() -> dict[str, str]:
    """Two pages of SuiteQL answer: every value a string, M/D/YYYY, nulls left out."""
    rates: list[Row] = []
    for k in range(co.month_number(co.LAST) + 1):
        on = add_months(co.FIRST, k)
        for base in ("USD", "GBP"):
            for currency in (c for c in co.CURRENCIES if c != base):
                rates.append({
                    "id": str(len(rates) + 1), "basecurrency": str(CURRENCY_ID[base]),
                    "transactioncurrency": str(CURRENCY_ID[currency]),
                    "effectivedate": f"{on.month}/{on.day}/{on.year}", "exchangerate": str(co.spot(base, currency, on)),
                    "lastmodifieddate": f"{on.month}/{on.day}/{on.year}",
                })  # fmt: skip
    half = len(rates) // 2
    return {
        f"currencyrate_page{n}.json": json_text(
            {
                "links": [],
                "count": len(page),
                "hasMore": n == 1,
                "items": page,
                "offset": (n - 1) * half,
                "totalResults": len(rates),
            }
        )
        for n, page in ((1, rates[:half]), (2, rates[half:]))
    }


def consolidated_rates() -> Iterator[Row]:
    """UK to US for each month: closing is the next month's first rate, average the mean of both."""
    for k in range(co.month_number(co.LAST) + 1):
        opening, closing = (Decimal(co.USD_PER["GBP"][n]) for n in (k, k + 1))
        yield {"id": k + 1, "postingperiod": FIRST_MONTH_ID + k, "fromsubsidiary": co.UK.number,
               "tosubsidiary": co.US.number, "fromcurrency": CURRENCY_ID["GBP"], "tocurrency": CURRENCY_ID["USD"],
               "averagerate": (opening + closing) / 2, "currentrate": closing,
               "historicalrate": co.USD_PER["GBP"][0], "accountingbook": 1,
               "lastmodifieddate": stamp(month_end(add_months(co.FIRST, k)))}  # fmt: skip


# ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────────


def last_change(ledger: Ledger, document: Document, upto: date = co.LAST) -> date:
    """The day of the last application or void known at `upto`."""
    used = [link.next.on for link in ledger.links if link.kind == "Payment" and document in (link.previous, link.next)]
    days = [document.on, *used, *([document.voided] if document.voided else [])]
    return max(d for d in days if d <= max(upto, document.on))


def status(ledger: Ledger, document: Document, upto: date) -> str:
    """Native status: A open, B fully applied, V voided; orders and journals are simply done."""
    if document.voided:
        return f"{document.type}:V"
    if not document.type.startswith("Cust"):
        return {"SalesOrd": "SalesOrd:G", "Journal": "Journal:B", "Deposit": "Deposit:B"}[document.type]
    done = ledger.applied(document, upto) == abs(document.total)
    return f"{document.type}:{'B' if done else 'A'}"


def header(ledger: Ledger, d: Document, upto: date) -> Row:
    return {
        "id": d.id, "tranid": d.number, "transactionnumber": f"TN{d.id}", "type": d.type, "trandate": d.on,
        "duedate": d.due, "postingperiod": FIRST_MONTH_ID + co.month_number(d.on) if d.posting else None,
        "entity": CUSTOMER_ID[d.customer.key] if d.customer else None, "currency": CURRENCY_ID[d.currency],
        "exchangerate": d.rate, "foreigntotal": text(d.total, d.currency), "status": status(ledger, d, upto),
        "posting": yes(d.posting), "voided": yes(d.voided), "memo": d.memo,
        "externalid": salesforce_id("006", d.external) if d.type == "SalesOrd" else d.external,
        "otherrefnum": d.reference, "createddate": stamp(d.on, 9),
        "lastmodifieddate": stamp(last_change(ledger, d, upto), 17),
    }  # fmt: skip


def lines(d: Document) -> Iterator[Row]:
    for n, p in enumerate(d.postings):
        priced = p.line if p.kind not in ("Discount", "TaxItem") else None
        yield {
            "uniquekey": d.id * 100 + n, "transaction": d.id, "id": n, "linesequencenumber": n,
            "mainline": yes(p.mainline), "taxline": yes(p.kind == "TaxItem"), "item": item_of(p),
            "itemtype": p.kind or ("Service" if p.line else None), "quantity": -priced.quantity * sign_of(d) if priced
            else None, "rate": text(priced.unit, d.currency) if priced and priced.unit else None,
            "foreignamount": text(p.foreign, d.currency), "netamount": text(p.functional, d.entity.functional),
            "subsidiary": d.entity.number, "entity": CUSTOMER_ID[d.customer.key] if d.customer else None,
            "memo": p.note or d.memo, "isclosed": "F", "linelastmodifieddate": stamp(d.on, 9),
            "custcol_service_start": p.line.start if p.line else None,
            "custcol_service_end": p.line.end if p.line else None,
        }  # fmt: skip


def sign_of(document: Document) -> int:
    return -1 if document.type == "CustCred" else 1


def item_of(posting: Posting) -> int | None:
    special = {"Discount": DISCOUNT_ITEM, "TaxItem": TAX_ITEM}
    return special.get(posting.kind) or (ITEM_ID[posting.line.product] if posting.line else None)


def accounting_lines(d: Document) -> Iterator[Row]:
    """The general ledger in the primary book; orders do not post."""
    for n, p in enumerate(d.postings if d.posting else []):
        amount = text(p.functional, d.entity.functional)
        yield {
            "transaction": d.id, "transactionline": n, "accountingbook": 1, "account": ACCOUNTS[p.account][0],
            "amount": amount, "debit": amount if p.functional > 0 else None,
            "credit": text(-p.functional, d.entity.functional) if p.functional < 0 else None, "netamount": amount,
            "posting": "T", "exchangerate": d.rate, "lastmodifieddate": stamp(d.on, 9),
        }  # fmt: skip


def links(ledger: Ledger) -> Iterator[Row]:
    for link in sorted(ledger.links, key=lambda k: (k.next.id, k.previous.id)):
        yield {
            "previousdoc": link.previous.id, "previousline": 0, "nextdoc": link.next.id, "nextline": 0,
            "previoustype": link.previous.type, "nexttype": link.next.type, "linktype": link.kind,
            "foreignamount": text(link.amount, link.next.currency), "lastmodifieddate": stamp(link.next.on, 17),
        }  # fmt: skip


def deleted_records(ledger: Ledger) -> Iterator[Row]:
    for d in (d for d in ledger.documents if d.deleted):
        yield {"recordid": d.id, "recordtypeid": -30, "type": "transaction", "name": f"Invoice #{d.number}",
               "deleteddate": stamp(d.deleted or d.on), "deletedby": "AR clerk"}  # fmt: skip


def orphan_line() -> Row:
    """A line of a transaction that no extract holds: the gate refuses it."""
    on, rate = date(2025, 5, 14), rate_on("USD", date(2025, 5, 14))
    ghost = Document("CustInvc", "", on, "USD", [Posting("services", -48000, -48000, note="Line without header")])
    ghost.id, ghost.rate = 99999, rate
    row = dict(next(iter(lines(ghost))))
    return row | {"uniquekey": ORPHAN_LINE, "id": 1, "linesequencenumber": 1, "item": ITEM_ID["TRAI"],
                  "itemtype": "Service", "quantity": -1, "rate": "480.00"}  # fmt: skip
