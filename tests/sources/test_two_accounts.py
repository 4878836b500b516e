"""Two accounts of one product: side by side they share nothing, one after the other they share a history."""

import json
from pathlib import Path

import pytest

from finpipe.settings import Home
from tests.sources.through import Line, table

CURRENCY = table("id,name,symbol,currencyprecision,isbasecurrency", "1,US Dollar,USD,2,T")
SUBSIDIARY = table("id,name,currency,parent,country,iselimination", "1,US,1,,US,F")
ACCOUNT = table(
    "id,acctnumber,accountsearchdisplayname,accttype,isinactive", "11,1100,AR,AcctRec,F", "40,4000,Sales,Income,F"
)
SIDE_BY_SIDE = """
[systems.netsuite_uk]
like = "netsuite"
[systems.stripe_uk]
like = "stripe"
[systems.stripe_uk.key_prefixes]
erp = "netsuite_uk."
"""
ONE_AFTER_THE_OTHER = """
[systems.netsuite_2]
like = "netsuite"
replaces = "netsuite"
"""
HEAD = "id,tranid,type,trandate,entity,currency,foreigntotal,status,posting,externalid,lastmodifieddate"
OLD_HEADER = "500,INV1,CustInvc,2024-05-02,7,1,100,CustInvc:A,T,in_1,2024-05-02 10:00:00"
NEW_HEADERS = (
    "9500,INV1,CustInvc,2024-05-02,907,1,100,CustInvc:B,T,in_1,2024-09-01 10:00:00,500",
    "9600,PAY1,CustPymt,2024-09-01,907,1,-100,CustPymt:B,T,,2024-09-01 10:00:00,",
)
LINES = "transaction,id,mainline,taxline,item,foreignamount,subsidiary"
POSTINGS = "transaction,transactionline,accountingbook,account,amount,posting"
LINKS = "previousdoc,previousline,nextdoc,nextline,previoustype,nexttype,linktype,foreignamount"


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    return Line(home, tmp_path / "extracts")


def customer(id_: str, name: str) -> dict[str, str]:
    return {"customer.csv": table("id,entityid,companyname,currency", f"{id_},C1,{name},1"), "currency.csv": CURRENCY}


def stripe(customer_id: str, erp: str) -> dict[str, str]:
    item = {"id": customer_id, "object": "customer", "name": "x", "metadata": {"erp_customer_id": erp}}
    return {"customer.jsonl": json.dumps(item)}


def test_equal_ids_of_two_accounts_are_two_records(line: Line) -> None:
    line.configure(SIDE_BY_SIDE)
    line.give("netsuite", customer("501", "Acme")).give("netsuite_uk", customer("501", "Bolt")).run()
    assert line.rows("select customer_id, system, source_id, name from canonical.customers order by 1") == [
        ("erp:501", "netsuite", "501", "Acme"),
        ("erp:netsuite_uk.501", "netsuite_uk", "501", "Bolt"),
    ]
    assert line.quarantined() == []


def test_each_billing_account_speaks_of_its_own_erp(line: Line) -> None:
    line.configure(SIDE_BY_SIDE)
    line.give("stripe", stripe("cus_1", "501")).give("stripe_uk", stripe("cus_2", "501")).run()
    assert line.rows("select customer_id, erp_customer_id from canonical.customers order by 1") == [
        ("billing:cus_1", "erp:501"),
        ("billing:cus_2", "erp:netsuite_uk.501"),
    ]


def test_two_accounts_that_claim_one_key_are_both_refused_and_named(line: Line) -> None:
    line.configure(SIDE_BY_SIDE + '[systems.netsuite_uk.key_prefixes]\nerp = ""\n')
    line.give("netsuite", customer("501", "Acme")).give("netsuite_uk", customer("501", "Bolt")).run()
    assert line.rows("select * from canonical.customers") == []
    reasons = {str(r[2]) for r in line.quarantined() if r[0] == "customers"}
    assert len(reasons) == 1
    assert "of netsuite and netsuite_uk" in reasons.pop()


@pytest.fixture
def moved(line: Line) -> Line:
    """An open invoice of the old ERP, migrated to the new one and paid there."""
    line.configure(ONE_AFTER_THE_OTHER)
    base = {"currency.csv": CURRENCY, "subsidiary.csv": SUBSIDIARY, "account.csv": ACCOUNT}
    old = {
        "customer.csv": table("id,entityid,companyname,currency", "7,C7,Acme,1"),
        "transaction.csv": table(HEAD, OLD_HEADER),
        "transactionline.csv": table(LINES, "500,0,T,F,,100,1", "500,1,F,F,3,-100,1"),
        "transactionaccountingline.csv": table(POSTINGS, "500,0,1,11,100,T", "500,1,1,40,-100,T"),
    }
    new = {
        "customer.csv": table("id,entityid,companyname,currency,custentity_former_id", "907,C7,Acme Inc,1,7"),
        "transaction.csv": table(f"{HEAD},custbody_former_id", *NEW_HEADERS),
        "transactionline.csv": table(LINES, "9500,0,T,F,,100,1", "9500,1,F,F,3,-100,1", "9600,0,T,F,,-100,1"),
        "transactionaccountingline.csv": table(
            POSTINGS, "9500,0,1,11,100,T", "9500,1,1,40,-100,T", "9600,0,1,11,-100,T", "9600,1,1,40,100,T"
        ),
        "nexttransactionlinelink.csv": table(LINKS, "9500,0,9600,0,CustInvc,CustPymt,Payment,100"),
    }
    line.give("netsuite", base | old).run()
    return line.give("netsuite_2", base | new).give("stripe", stripe("cus_1", "7")).run()


def test_a_replaced_erp_counts_nothing_twice(moved: Line) -> None:
    assert moved.refused == []
    assert moved.quarantined() == []
    assert moved.rows("select invoice_id, customer_id, system, total_amount::int from canonical.invoices") == [
        ("erp:500", "erp:7", "netsuite_2", 100)
    ]
    assert moved.rows("select payment_id, customer_id from canonical.payments") == [("erp:9600", "erp:7")]
    assert moved.rows("select application_id, from_id, to_id from canonical.applications") == [
        ("erp:9600/500", "erp:9600", "erp:500")
    ]
    assert moved.rows("select journal_event_id, document_ref from canonical.journal_events order by 1") == [
        ("erp:500", "erp:500"),
        ("erp:9600", "erp:9600"),
    ]
    balances = "select gl_account_id, sum(amount)::int from canonical.journal_lines group by 1 order by 1"
    assert moved.rows(balances) == [("erp:11", 0), ("erp:40", 0)]
    assert moved.rows("select gl_account_id, system from canonical.gl_accounts order by 1") == [
        ("erp:11", "netsuite_2"),
        ("erp:40", "netsuite_2"),
    ]


def test_links_of_before_find_the_record(moved: Line) -> None:
    found = moved.rows(
        "select b.customer_id, e.name from canonical.customers b join canonical.customers e "
        "on b.erp_customer_id = e.customer_id"
    )
    assert found == [("billing:cus_1", "Acme Inc")]


def test_without_a_successor_nobody_is_asked_what_moved(line: Line) -> None:
    line.give("netsuite", {"customer.csv": table("id,entityid,currency,custentity_former_id", "7,C7,USD,3")}).run()
    assert line.rows("select customer_id from canonical.customers") == [("erp:7",)]
    assert line.rows("select * from canonical.migrated_records") == []
