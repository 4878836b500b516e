"""NetSuite's extracts become the ERP's canonical rows: documents, cash, applications and the ledger."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.settings import Home
from tests.sources.through import Line, table

HEADER = (
    "id,tranid,type,trandate,duedate,postingperiod,entity,currency,exchangerate,"
    "foreigntotal,status,posting,voided,externalid,lastmodifieddate"
)
LINES = (
    "transaction,id,linesequencenumber,mainline,taxline,item,itemtype,quantity,rate,"
    "foreignamount,subsidiary,entity,memo,custcol_service_start,custcol_service_end"
)
POSTINGS = "transaction,transactionline,accountingbook,account,amount,debit,credit,posting"
LINKS = "previousdoc,previousline,nextdoc,nextline,previoustype,nexttype,linktype,foreignamount"
MASTER = {
    "customer.csv": table("id,entityid,companyname,currency", "501,C1,Acme,1", "502,C2,Bolt,2"),
    "subsidiary.csv": table("id,name,currency,parent,country,iselimination", "1,US,1,,US,F", "2,UK,2,1,GB,F"),
    "currency.csv": table(
        "id,name,symbol,currencyprecision,isbasecurrency", "1,US Dollar,USD,2,T", "2,Pound,GBP,2,F", "3,Yen,JPY,0,F"
    ),
    "account.csv": table(
        "id,acctnumber,accountsearchdisplayname,accttype,isinactive",
        "10,1000,Bank,Bank,F",
        "11,1100,Receivable,AcctRec,F",
        "40,4000,Sales,Income,F",
        "22,2200,Tax,OthCurrLiab,F",
    ),
}


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    return Line(home, tmp_path / "extracts")


def give(line: Line, **tables: str) -> Line:
    """Land master data and the given tables, and run."""
    return line.give("netsuite", MASTER | {f"{name}.csv": text for name, text in tables.items()}).run()


def invoice(number: str, total: str, status: str = "CustInvc:A", voided: str = "F", kind: str = "CustInvc") -> str:
    """A header in pounds of customer 502."""
    terms = "2024-03-05,2024-04-04,30,502,2,1.25"
    return f"{number},N{number},{kind},{terms},{total},{status},T,{voided},in_{number},2024-03-06 10:00:00"


def test_an_invoice_turns_native_signs_into_document_amounts(line: Line) -> None:
    give(
        line,
        transaction=table(HEADER, invoice("7", "118.80")),
        transactionline=table(
            LINES,
            "7,0,0,T,F,,,,,118.80,2,502,,,",
            "7,1,1,F,F,701,Service,-2,55.00,-110.00,2,502,Seats,2024-03-05,2025-03-04",
            "7,2,2,F,F,798,Discount,,-10%,11.00,2,502,Ten off,,",
            "7,3,3,F,T,799,TaxItem,,,-19.80,2,502,VAT,,",
            "7,4,4,F,F,701,Subtotal,,,-99.00,2,502,,,",
        ),
    )
    assert line.quarantined() == []
    assert line.rows(
        "select invoice_id, kind, status, document_number, external_ref, customer_id, legal_entity_id, issued_on, "
        "due_on, currency, gross_amount, discount_amount, net_amount, tax_amount, total_amount, exchange_rate, "
        "accounting_period_id from canonical.invoices"
    ) == [
        (
            "erp:7",
            "invoice",
            "posted",
            "N7",
            "in_7",
            "erp:502",
            "erp:2",
            date(2024, 3, 5),
            date(2024, 4, 4),
            "GBP",
            *tuple(map(Decimal, ("110", "11", "99", "19.8", "118.8", "1.25"))),
            "erp:30",
        )
    ]
    assert line.rows(
        "select invoice_line_id, quantity, unit_price, gross_amount, discount_amount, net_amount, currency, "
        "service_starts_on, service_ends_on from canonical.invoice_lines order by 1"
    ) == [
        (
            "erp:7/1",
            Decimal(2),
            Decimal(55),
            Decimal(110),
            Decimal(0),
            Decimal(110),
            "GBP",
            date(2024, 3, 5),
            date(2025, 3, 4),
        ),
        ("erp:7/2", None, None, Decimal(0), Decimal(11), Decimal(-11), "GBP", None, None),
    ]


@pytest.mark.parametrize("total", ["60.00", "-60.00", ""], ids=["positive", "negative", "absent"])
def test_a_credit_memo_is_positive_whatever_the_extract_says(line: Line, total: str) -> None:
    give(
        line,
        transaction=table(HEADER, invoice("8", total, "CustCred:A", kind="CustCred")),
        transactionline=table(
            LINES,
            "8,0,0,T,F,,,,,-60.00,2,502,,,",
            "8,1,1,F,F,701,Service,1,50,50.00,2,502,,,",
            "8,2,2,F,T,799,TaxItem,,,10.00,2,502,,,",
        ),
    )
    assert line.rows("select kind, net_amount, tax_amount, total_amount from canonical.invoices") == [
        ("credit_memo", Decimal(50), Decimal(10), Decimal(60))
    ]
    assert line.rows("select quantity, net_amount from canonical.invoice_lines") == [(Decimal(1), Decimal(50))]


def test_statuses_come_in_three_spellings(line: Line) -> None:
    give(
        line,
        transaction=table(
            HEADER,
            invoice("1", "1", "B"),
            invoice("2", "1", "CustInvc:V"),
            invoice("3", "1", "Invoice : Voided"),
            invoice("4", "1", "CustInvc:D"),
            invoice("5", "1", "Invoice : Pending Approval"),
            invoice("6", "1", "A", "T"),
        ),
    )
    assert line.rows("select source_id, status from canonical.invoices order by 1") == [
        ("1", "posted"),
        ("2", "void"),
        ("3", "void"),
        ("4", "draft"),
        ("5", "draft"),
        ("6", "void"),
    ]


def test_a_line_without_header_and_bad_amounts_are_refused_in_words(line: Line) -> None:
    give(
        line,
        transaction=table(HEADER, invoice("1", "N/A"), invoice("2", "10.00")),
        transactionline=table(
            LINES,
            "9,1,1,F,F,701,Service,-1,480,-480.00,2,502,,,",
            "2,1,1,F,F,701,Service,-1,8,-8.00,2,502,,,",
            "2,2,2,F,T,799,TaxItem,,,two,2,502,,,",
        ),
    )
    reasons = {str(key): str(why) for _, key, why in line.quarantined()}
    assert "invoice_id erp:9 has no accepted row in invoices" in reasons["erp:9/1"]
    assert "total_amount is 'N/A'" in reasons["erp:1"]
    assert "tax_amount is 'two'" in reasons["erp:2"]
    assert line.rows("select amount, currency from quarantine.rows where row_key = 'erp:9/1'") == [
        (Decimal(480), "GBP")
    ]


def test_applications_are_one_per_pair_and_robust_to_direction(line: Line) -> None:
    give(
        line,
        transaction=table(
            HEADER,
            invoice("1", "100"),
            invoice("2", "50"),
            "3,P3,CustPymt,2024-03-20,,30,502,2,1.3,-150,CustPymt:C,T,F,ch_3,",
            invoice("4", "-20", kind="CustCred"),
            "5,R5,CustRfnd,2024-03-25,,30,502,2,1.3,5,CustRfnd:A,T,F,re_5,",
            invoice("6", "9", voided="T"),
        ),
        nexttransactionlinelink=table(
            LINKS,
            "1,0,3,0,CustInvc,CustPymt,Payment,60",
            "1,0,3,1,CustInvc,CustPymt,Payment,20",
            "3,0,2,0,CustPymt,CustInvc,Payment,50",
            "1,0,4,0,CustInvc,CustCred,Payment,15",
            "1,0,4,1,CustInvc,CustCred,SaleRet,15",
            "4,0,5,0,CustCred,CustRfnd,Payment,5",
            "6,0,3,0,CustInvc,CustPymt,Payment,9",
            "99,0,1,0,SalesOrd,CustInvc,OrdBill,100",
        ),
    )
    assert line.quarantined() == []
    assert line.rows(
        "select application_id, kind, from_id, to_id, applied_on, currency, amount, is_deleted "
        "from canonical.applications order by 1"
    ) == [
        ("erp:3/1", "payment_to_invoice", "erp:3", "erp:1", date(2024, 3, 20), "GBP", Decimal(80), False),
        ("erp:3/2", "payment_to_invoice", "erp:3", "erp:2", date(2024, 3, 20), "GBP", Decimal(50), False),
        ("erp:3/6", "payment_to_invoice", "erp:3", "erp:6", date(2024, 3, 20), "GBP", Decimal(9), True),
        ("erp:4/1", "credit_to_invoice", "erp:4", "erp:1", date(2024, 3, 5), "GBP", Decimal(15), False),
        ("erp:5/4", "refund_to_credit", "erp:5", "erp:4", date(2024, 3, 25), "GBP", Decimal(5), False),
    ]
    assert line.rows("select payment_id, kind, status, amount from canonical.payments order by 1") == [
        ("erp:3", "payment", "succeeded", Decimal(150)),
        ("erp:5", "refund", "succeeded", Decimal(5)),
    ]


def test_a_deposit_is_applied_through_its_application(line: Line) -> None:
    give(
        line,
        transaction=table(
            HEADER,
            invoice("1", "100"),
            "2,D2,CustDep,2024-02-01,,29,502,2,1.3,70,CustDep:B,T,F,,",
            "3,A3,DepAppl,2024-03-10,,30,502,2,1.3,70,DepAppl:A,T,F,,",
        ),
        nexttransactionlinelink=table(
            LINKS, "2,0,3,0,CustDep,DepAppl,DepAppl,70", "1,0,3,0,CustInvc,DepAppl,Payment,70"
        ),
    )
    assert line.rows("select kind, from_id, to_id, applied_on, amount from canonical.applications") == [
        ("payment_to_invoice", "erp:2", "erp:1", date(2024, 3, 10), Decimal(70))
    ]
    assert line.rows("select payment_id from canonical.payments") == [("erp:2",)]


def test_an_applied_journal_is_a_write_off_and_others_are_not(line: Line) -> None:
    give(
        line,
        transaction=table(
            HEADER,
            invoice("1", "100"),
            "2,J2,Journal,2024-06-30,,33,,2,1.3,,Journal:B,T,F,,",
            "3,J3,Journal,2024-06-30,,33,,2,1.3,,Journal:B,T,F,,",
        ),
        transactionline=table(
            LINES,
            "2,0,0,F,F,,,,,30.00,2,,,,",
            "2,1,1,F,F,,,,,-30.00,2,502,,,",
            "3,0,0,F,F,,,,,5.00,2,,,,",
            "3,1,1,F,F,,,,,-5.00,2,502,,,",
        ),
        transactionaccountingline=table(
            POSTINGS, "2,0,1,40,39.00,,,T", "2,1,1,11,-39.00,,,T", "3,0,1,40,6.50,,,T", "3,1,1,11,-6.50,,,T"
        ),
        nexttransactionlinelink=table(LINKS, "1,0,2,1,CustInvc,Journal,Payment,30"),
    )
    assert line.quarantined() == []
    assert line.rows("select invoice_id, kind, customer_id, total_amount from canonical.invoices order by 1") == [
        ("erp:1", "invoice", "erp:502", Decimal(100)),
        ("erp:2", "write_off", "erp:502", Decimal(30)),
    ]
    assert line.rows("select kind, from_id, to_id, amount from canonical.applications") == [
        ("write_off_to_invoice", "erp:2", "erp:1", Decimal(30))
    ]
    assert line.rows("select journal_event_id, document_ref from canonical.journal_events order by 1") == [
        ("erp:2", "erp:2"),
        ("erp:3", None),
    ]


def test_credit_memos_of_write_off_items_write_off(line: Line) -> None:
    line.configure('[systems.netsuite.variables]\nwrite_off_items = "790, 791"\n')
    give(
        line,
        transaction=table(HEADER, invoice("1", "100"), invoice("2", "100", kind="CustCred")),
        transactionline=table(LINES, "2,0,0,T,F,,,,,-100,2,502,,,", "2,1,1,F,F,791,OthCharge,1,100,100,2,502,,,"),
        nexttransactionlinelink=table(LINKS, "1,0,2,0,CustInvc,CustCred,Payment,100"),
    )
    assert line.rows("select kind from canonical.invoices order by invoice_id") == [("invoice",), ("write_off",)]
    assert line.rows("select kind from canonical.applications") == [("write_off_to_invoice",)]


def test_a_cash_sale_bills_and_settles_itself(line: Line) -> None:
    give(
        line,
        transaction=table(HEADER, "1,CS1,CashSale,2024-03-05,,30,501,1,1,12.00,CashSale:C,T,F,,"),
        transactionline=table(LINES, "1,0,0,T,F,,,,,12.00,1,501,,,", "1,1,1,F,F,701,Service,-1,12,-12.00,1,501,,,"),
    )
    assert line.rows("select kind, total_amount from canonical.invoices") == [("invoice", Decimal(12))]
    assert line.rows("select kind, amount from canonical.payments") == [("payment", Decimal(12))]
    assert line.rows("select from_id, to_id, amount from canonical.applications") == [("erp:1", "erp:1", Decimal(12))]


def test_deleted_records_take_their_document_with_all_that_hangs_on_it(line: Line) -> None:
    give(
        line,
        transaction=table(HEADER, invoice("501", "10"), "7,P,CustPymt,2024-03-20,,30,502,2,1.3,10,C,T,F,,"),
        transactionline=table(LINES, "501,1,1,F,F,701,Service,-1,10,-10,2,502,,,"),
        transactionaccountingline=table(POSTINGS, "501,0,1,11,12.5,,,T", "501,1,1,40,-12.5,,,T"),
        nexttransactionlinelink=table(LINKS, "501,0,7,0,CustInvc,CustPymt,Payment,10"),
        deletedrecord=table("recordid,type,name,deleteddate,deletedby", "501,Invoice,Invoice #501,4/1/2024 9:15 am,AR"),
    )
    for entity in ("invoices", "invoice_lines", "applications", "journal_events"):
        assert line.rows(f"select bool_and(is_deleted), count(*) > 0 from canonical.{entity}") == [(True, True)], entity
    assert line.rows("select bool_and(is_deleted) from canonical.journal_lines") == [(True,)]
    # The customer with the same number is another record.
    assert line.rows("select is_deleted from canonical.customers where customer_id = 'erp:501'") == [(False,)]
    assert line.rows("select cast(max(valid_from) as varchar) from canonical.invoices") == [("2024-04-01 09:15:00+00",)]


def test_the_ledger_balances_in_functional_currency_per_book(line: Line) -> None:
    give(
        line,
        transaction=table(
            HEADER,
            invoice("1", "118.80"),
            "2,SO2,SalesOrd,2024-03-01,,,502,2,1.3,118.80,SalesOrd:B,F,F,006X,",
            "3,B3,VendBill,2024-03-01,,30,900,1,1,-50,A,T,F,,",
            "4,J4,Journal,2024-03-01,,30,,1,1,,B,T,F,,",
        ),
        transactionline=table(
            LINES,
            "1,0,0,T,F,,,,,118.80,2,502,,,",
            "1,1,1,F,F,701,Service,-1,99,-118.80,2,502,,,",
            "3,0,0,T,F,,,,,-50,1,900,,,",
            "3,1,1,F,F,,,,,50,1,,,,",
        ),
        transactionaccountingline=table(
            POSTINGS,
            "1,0,1,11,148.50,148.50,,T",
            "1,1,1,40,-148.50,,148.50,T",
            "1,0,2,11,150.00,,,T",
            "1,1,2,40,-150.00,,,T",
            "2,0,1,11,118.80,,,F",
            "3,0,1,22,,,50,T",
            "3,1,1,40,,50,,T",
            "3,2,1,,,,,T",
            "4,0,1,10,7,,,T",
            "4,1,1,40,-6.99,,,T",
            "88,0,1,11,5.00,,,T",
        ),
    )
    assert line.rows(
        "select journal_event_id, native_kind, document_ref, legal_entity_id, book "
        "from canonical.journal_events order by 1"
    ) == [
        ("erp:1", "CustInvc", "erp:1", "erp:2", "1"),
        ("erp:1/2", "CustInvc", "erp:1", "erp:2", "2"),
        ("erp:3", "VendBill", None, "erp:1", "1"),
    ]
    assert line.rows(
        "select journal_line_id, gl_account_id, customer_id, currency, amount, transaction_currency, "
        "transaction_amount from canonical.journal_lines where journal_event_id in ('erp:1', 'erp:3') order by 1"
    ) == [
        ("erp:1/0", "erp:11", "erp:502", "GBP", Decimal("148.5"), "GBP", Decimal("118.8")),
        ("erp:1/1", "erp:40", "erp:502", "GBP", Decimal("-148.5"), "GBP", Decimal("-118.8")),
        ("erp:3/0", "erp:22", None, "USD", Decimal(-50), "USD", Decimal(-50)),
        ("erp:3/1", "erp:40", None, "USD", Decimal(50), "USD", Decimal(50)),
    ]
    reasons = {str(key): str(why) for _, key, why in line.quarantined()}
    assert "do not balance" in reasons["erp:4"]
    assert "has no accepted row in journal_events" in reasons["erp:88/0"]
    assert line.rows("select order_id, opportunity_id, total_amount, currency from canonical.orders") == [
        ("erp:2", "crm:006X", Decimal("118.8"), "GBP")
    ]


def test_rest_pages_give_what_csv_gives(line: Line) -> None:
    items = [
        {
            "links": [],
            "id": "1",
            "tranid": "N1",
            "type": "CustInvc",
            "trandate": "3/5/2024",
            "duedate": "4/4/2024",
            "currency": "3",
            "foreigntotal": "12000",
            "entity": "501",
            "lastmodifieddate": "3/6/2024 4:05 pm",
        }
    ]
    pages = {
        f"transaction_page{n}.json": json.dumps(
            {"count": len(part), "hasMore": n == 1, "items": part, "offset": n - 1, "totalResults": 1}
        )
        for n, part in ((1, items), (2, []))
    }
    line.configure('[legal_entity]\nid = "main"\nname = "The Company"\ncurrency = "JPY"\n')
    line.give("netsuite", {k: v for k, v in MASTER.items() if k != "subsidiary.csv"} | pages).run()
    assert line.refused == []
    assert line.quarantined() == []
    assert line.rows(
        "select issued_on, due_on, currency, total_amount, net_amount, legal_entity_id, cast(valid_from as varchar) "
        "from canonical.invoices"
    ) == [
        (
            date(2024, 3, 5),
            date(2024, 4, 4),
            "JPY",
            Decimal(12000),
            Decimal(12000),
            "erp:main",
            "2024-03-06 16:05:00+00",
        )
    ]


def test_a_company_without_currency_and_subsidiary_tables_needs_two_settings(line: Line) -> None:
    line.configure('[legal_entity]\nid = "1"\n[systems.netsuite.variables]\nbase_currency = "EUR"\n')
    line.give(
        "netsuite",
        {
            "transaction.csv": table("id,type,trandate,foreigntotal", "1,CustInvc,2024-01-05,10.00"),
            "transactionaccountingline.csv": table(
                "transaction,transactionline,account,debit,credit", "1,0,11,10.00,", "1,1,40,,10.00"
            ),
        },
    ).run()
    assert line.quarantined() == []
    assert line.rows("select currency, legal_entity_id from canonical.invoices") == [("EUR", "erp:1")]
    assert line.rows("select currency, amount from canonical.journal_lines order by amount") == [
        ("EUR", Decimal(-10)),
        ("EUR", Decimal(10)),
    ]


def test_periods_accounts_and_rates(line: Line) -> None:
    give(
        line,
        accountingperiod=table(
            "id,periodname,startdate,enddate,isquarter,isyear,isadjust,arlocked,alllocked,closed,closedondate,parent",
            "1,FY 2024,2024-01-01,2024-12-31,F,T,F,F,F,F,,",
            "2,Q1 2024,2024-01-01,2024-03-31,T,F,F,F,F,F,,1",
            "30,Mar 2024,2024-03-01,2024-03-31,F,F,F,T,T,F,2024-04-12 10:00:00,2",
        ),
        currencyrate=table("basecurrency,transactioncurrency,effectivedate,exchangerate", "1,2,3/1/2024,1.27"),
        consolidatedexchangerate=table(
            "id,postingperiod,fromsubsidiary,tosubsidiary,fromcurrency,tocurrency,averagerate,currentrate,historicalrate,accountingbook",
            "1,30,2,1,2,1,1.2612345678901234,1.26,1.25,1",
            "2,30,2,1,2,1,1.2612345678901234,1.26,1.25,2",
            "3,30,4,1,2,1,1.2612345678901234,1.26,1.20,1",
        ),
    )
    assert line.rows(
        "select name, kind, parent_accounting_period_id, is_ar_locked, is_closed, closed_on "
        "from canonical.accounting_periods order by starts_on, ends_on desc, 1"
    ) == [
        ("FY 2024", "year", None, False, False, None),
        ("Q1 2024", "quarter", "erp:1", False, False, None),
        ("Mar 2024", "period", "erp:2", True, False, date(2024, 4, 12)),
    ]
    assert line.rows("select kind, native_kind from canonical.gl_accounts order by number") == [
        ("bank", "Bank"),
        ("receivable", "AcctRec"),
        ("other_liability", "OthCurrLiab"),
        ("revenue", "Income"),
    ]
    assert line.rows(
        "select kind, from_currency, to_currency, starts_on, ends_on, rate from canonical.fx_rates order by kind"
    ) == [
        ("average", "GBP", "USD", date(2024, 3, 1), date(2024, 3, 31), Decimal("1.261234567890")),
        ("closing", "GBP", "USD", date(2024, 3, 1), date(2024, 3, 31), Decimal("1.26")),
        ("spot", "GBP", "USD", date(2024, 3, 1), None, Decimal("1.27")),
    ]
    # Two historical rates for one pair and period: which holds is not ours to choose.
    assert [key for _, key, _ in line.quarantined()] == ["erp:historical/GBP/USD/30"] * 2


def test_an_unknown_type_of_account_is_shown_not_guessed(line: Line) -> None:
    line.give("netsuite", {"account.csv": table("id,acctnumber,accttype", "1,1,Novelty", "2,2,NonPosting")}).run()
    assert line.rows("select kind from canonical.gl_accounts") == [("statistical",)]
    ((_, key, why),) = line.quarantined()
    assert key == "erp:1"
    assert "kind is 'Novelty': expected one of" in str(why)


def test_connector_seeds_are_read_and_what_they_lack_is_said(line: Line, shared_data: Path) -> None:
    folder = shared_data / "fivetran_seeds" / "netsuite"
    line.land("netsuite", sorted(folder.glob("netsuite2_*.csv"))).run()
    rows = json.loads((shared_data / "expected.json").read_text())["fivetran_seed_rows"]["netsuite"]
    loaded = dict(line.rows("select table_name, sum(rows)::bigint from ledger.loaded_tables group by 1"))
    for name, seed in {
        "account": "account",
        "accountingperiod": "accounting_period",
        "consolidatedexchangerate": "consolidated_exchange_rate",
        "currency": "currency",
        "customer": "customer",
        "item": "item",
        "subsidiary": "subsidiary",
        "transaction": "transaction",
        "transactionaccountingline": "tran_acct_line",
        "transactionline": "transaction_line",
    }.items():
        assert loaded[name] == int(rows[f"netsuite2_{seed}_data"]), name
    found = dict(
        line.rows(
            "select 'accounts', count(*) from canonical.gl_accounts union all "
            "select 'periods', count(*) from canonical.accounting_periods union all "
            "select 'currencies', count(*) from canonical.currencies union all "
            "select 'products', count(*) from canonical.products"
        )
    )
    # One row of each of these seeds is history.
    assert found == {"accounts": 6, "periods": 5, "currencies": 3, "products": 3}
    # The seeds' rows are not linked: currency 1 is in no row, and lines have no headers.
    reasons = {(str(entity), str(why).split(":")[0]) for entity, _, why in line.quarantined()}
    assert ("legal_entities", "functional_currency is '1'") in reasons
    assert ("customers", "currency is '1'") in reasons
