"""Salesforce's extracts become the CRM's canonical rows, in every dialect they come in."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.settings import Home
from tests.sources.through import Line, table

WON = "006000000000001AAA"


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    return Line(home, tmp_path / "extracts")


def test_native_and_connector_dialects_give_the_same_opportunity(line: Line) -> None:
    native = table(
        "Id,AccountId,Name,StageName,Amount,CurrencyIsoCode,CloseDate,IsClosed,IsWon,IsDeleted,Signed_Date__c,SystemModstamp",
        f"{WON},001A,Deal,Signed,1200.5,EUR,2024-03-31,true,true,false,2024-04-02,2024-04-02T08:00:00.000Z",
    )
    flat = table(
        "id,account_id,name,stage_name,amount,currency_iso_code,close_date,is_closed,is_won,is_deleted,"
        "signed_date_c,system_modstamp,_fivetran_active,_fivetran_synced",
        "006B,001A,Deal,Signed,1200.50,EUR,2024-03-31 00:00:00,TRUE,TRUE,FALSE,2024-04-02 00:00:00,"
        "2024-04-02 8:00:00,TRUE,2024-04-03 01:00:00",
    )
    line.give("salesforce", {"Opportunity.csv": native, "sf_opportunity_data.csv": flat}).run()
    found = line.rows(
        "select customer_id, stage, amount, currency, closes_on, signed_on, is_won, is_closed, "
        "cast(valid_from as varchar) from canonical.opportunities"
    )
    assert len(found) == 2
    assert found[0] == found[1]
    dates = date(2024, 3, 31), date(2024, 4, 2)
    assert found[0][:7] == ("crm:001A", "Signed", Decimal("1200.5"), "EUR", *dates, True)


def test_history_rows_are_superseded_by_the_active_one(line: Line) -> None:
    rows = table(
        "_fivetran_active,_fivetran_synced,id,name,stage_name,close_date,amount,is_won,is_closed,is_deleted",
        "false,2024-01-01 00:00:00,006A,Deal,Open,2024-01-31,100,false,false,false",
        "true,2024-02-01 00:00:00,006A,Deal,Won,2024-02-15,150,true,true,false",
        "false,2024-02-01 00:00:00,006B,Gone,Open,2024-02-15,70,false,false,false",
    )
    line.give("salesforce", {"opportunity_history.csv": rows}).run()
    assert line.rows("select opportunity_id, amount, is_won from canonical.opportunities") == [
        ("crm:006A", Decimal(150), True)
    ]


def test_stages_decide_only_where_flags_are_absent(line: Line) -> None:
    rows = table("sf_id,Name,StageName,CloseDate,Amount", "1,A,Posted,2024-01-05,10.0", "2,B,Pledged,2024-01-06,5.0")
    flagged = table("Id,Name,StageName,CloseDate,Amount,IsWon,IsClosed", "3,C,Posted,2024-01-07,7.0,false,false")
    line.give("salesforce", {"Opportunity.csv": rows, "Opportunity_2.csv": flagged}).run()
    found = line.rows("select source_id, is_won, is_closed, currency from canonical.opportunities order by 1")
    assert found == [("1", True, True, "USD"), ("2", False, False, "USD"), ("3", False, False, "USD")]


def test_a_company_names_its_own_stages_fields_and_currency(line: Line) -> None:
    line.configure(
        '[systems.salesforce.variables]\nwon_stages = "Gewonnen"\ncorporate_currency = "CHF"\n'
        '[systems.salesforce.references]\nerp_order = "Auftrag__c"\n'
    )
    rows = table("Id,Name,StageName,CloseDate,Amount,Auftrag__c", "1,A,gewonnen,2024-01-05,10.0,77")
    line.give("salesforce", {"Opportunity.csv": rows}).run()
    found = line.rows("select is_won, currency, order_ref from canonical.opportunities")
    assert found == [(True, "CHF", "erp:77")]


def test_lines_take_the_currency_of_their_opportunity_and_go_with_it(line: Line) -> None:
    deals = table(
        "Id,Name,StageName,CloseDate,Amount,CurrencyIsoCode,IsWon,IsClosed,IsDeleted",
        "1,A,Won,2024-01-05,1200,GBP,true,true,false",
        "2,B,Won,2024-01-05,10,GBP,true,true,true",
    )
    lines = table(
        "Id,OpportunityId,Product2Id,Quantity,UnitPrice,TotalPrice,ServiceDate,End_Date__c,Term_Months__c,Charge_Type__c,IsDeleted",
        "a,1,p,1.0,100.0,1200.0,2024-02-01,2025-01-31,12.0,Recurring,false",
        "b,2,p,1,10,10,,,,One-Time,false",
        "c,9,p,1,10,10,,,,,false",
        'd,1,p,1,10,"1,234.56",,,,,false',
        "e,1,p,1,10,10,,,,Sometimes,false",
    )
    line.give("salesforce", {"Opportunity.csv": deals, "OpportunityLineItem.csv": lines}).run()
    assert line.rows(
        "select source_id, charge_kind, total_amount, currency, starts_on, ends_on, term_months, is_deleted "
        "from canonical.opportunity_lines order by 1"
    ) == [
        ("a", "recurring", Decimal(1200), "GBP", date(2024, 2, 1), date(2025, 1, 31), 12, False),
        ("b", "one_time", Decimal(10), "GBP", None, None, None, True),
    ]
    reasons = {str(key): str(why) for _, key, why in line.quarantined()}
    assert set(reasons) == {"crm:c", "crm:d", "crm:e"}
    assert "has no accepted row in opportunities" in reasons["crm:c"]
    assert "total_amount is '1,234.56'" in reasons["crm:d"]
    assert "charge_kind is 'Sometimes'" in reasons["crm:e"]


def test_a_merged_account_stays_as_an_alias(line: Line) -> None:
    rows = table(
        "Id,Name,ParentId,MasterRecordId,IsDeleted,BillingCountry,ERP_Customer_Id__c,Billing_Customer_Id__c,Tax_Id__c,SystemModstamp",
        "1,Acme,,,false,us,1409,cus_1,US12,2024-05-01T00:00:00.000Z",
        "2,Acme Inc,1,1,true,United States,,,,2024-05-01T00:00:00.000Z",
    )
    line.give("salesforce", {"Account.csv": rows}).run()
    assert line.rows(
        "select customer_id, parent_customer_id, merged_into_customer_id, erp_customer_id, billing_customer_id, "
        "tax_id, country, is_deleted from canonical.customers order by 1"
    ) == [
        ("crm:1", None, None, "erp:1409", "billing:cus_1", "US12", "US", False),
        ("crm:2", "crm:1", "crm:1", None, None, None, None, True),
    ]


def test_contracts_orders_and_rates(line: Line) -> None:
    files = {
        "Contract.csv": table(
            "Id,AccountId,ContractNumber,Status,StartDate,EndDate,ContractTerm,CustomerSignedDate,CompanySignedDate,IsDeleted",
            "8,1,0001,Activated,2024-01-01,2024-12-31,12,2023-12-20,2023-12-22,false",
        ),
        "Order.csv": table(
            "Id,AccountId,ContractId,OpportunityId,OrderNumber,Status,EffectiveDate,EndDate,TotalAmount,CurrencyIsoCode,IsDeleted",
            "9,1,8,7,O-1,Activated,2024-01-01,2024-12-31,1200.00,JPY,false",
        ),
        "CurrencyType.csv": table(
            "Id,IsoCode,ConversionRate,DecimalPlaces,IsActive,IsCorporate",
            "1,EUR,1.0,2,true,true",
            "2,JPY,160.5,0,true,false",
        ),
        "DatedConversionRate.csv": table(
            "Id,IsoCode,StartDate,NextStartDate,ConversionRate",
            "1,JPY,2024-01-01,2024-04-01,158.25",
            "2,JPY,2024-04-01,9999-12-31,160.5",
        ),
    }
    line.give("salesforce", files).run()
    assert line.quarantined() == []
    assert line.rows("select signed_on, term_months, ends_on from canonical.contracts") == [
        (date(2023, 12, 22), 12, date(2024, 12, 31))
    ]
    assert line.rows("select total_amount, currency, opportunity_id, contract_id from canonical.orders") == [
        (Decimal(1200), "JPY", "crm:7", "crm:8")
    ]
    assert line.rows("select code, minor_units, is_base from canonical.currencies order by 1") == [
        ("EUR", 2, True),
        ("JPY", 0, False),
    ]
    assert line.rows(
        "select from_currency, to_currency, starts_on, ends_on, rate from canonical.fx_rates order by starts_on"
    ) == [
        ("EUR", "JPY", date(2024, 1, 1), date(2024, 3, 31), Decimal("158.25")),
        ("EUR", "JPY", date(2024, 4, 1), None, Decimal("160.5")),
    ]


def test_pages_of_the_query_api_are_read(line: Line) -> None:
    page = {
        "totalSize": 1,
        "done": True,
        "records": [{"attributes": {"type": "Account"}, "Id": "1", "Name": "Acme", "IsDeleted": False}],
    }
    line.give("salesforce", {"Account.json": json.dumps(page)}).run()
    assert line.rows("select customer_id, name, is_deleted from canonical.customers") == [("crm:1", "Acme", False)]


def test_connector_seeds_tie_to_their_totals(line: Line, shared_data: Path) -> None:
    line.land("salesforce", [shared_data / "fivetran_seeds" / "salesforce"]).run()
    expected = json.loads((shared_data / "expected.json").read_text())["salesforce_seed_totals"]
    wanted = {
        (e["won"] == "true", e["closed"] == "true", e["deleted"] == "true", int(e["n"]), Decimal(e["amount"]))
        for e in expected
        if e["active"] == "true"
    }
    found = line.rows(
        "select is_won, is_closed, is_deleted, count(*), sum(amount) from canonical.opportunities group by all"
    )
    assert set(found) == wanted
    assert line.rows("select count(*) from canonical.orders") == [(10,)]
    assert line.rows("select count(*) from canonical.products") == [(2,)]
    # The seeds' lines belong to opportunities that the seeds do not hold.
    lines = line.rows("select count(*), sum(amount) from quarantine.rows where entity = 'opportunity_lines'")
    peer = json.loads((shared_data / "fivetran_seeds" / "peer_expected.json").read_text())["salesforce"]
    total = peer["salesforce__opportunity_line_item_enhanced"]["sums"]["total_price"]
    assert lines == [(10, Decimal(str(total)))]


def test_nonprofit_extracts_tie_by_stage(line: Line, shared_data: Path) -> None:
    line.land("salesforce", [shared_data / "salesforce_native" / "npsp_trailhead"]).run()
    expected = json.loads((shared_data / "expected.json").read_text())["npsp_trailhead"]["opportunities"]
    found = line.rows(
        "select stage, count(*), sum(amount), min(closes_on), max(closes_on), bool_and(is_won) "
        "from canonical.opportunities group by stage order by stage"
    )
    assert found == [
        (
            e["StageName"],
            int(e["n"]),
            Decimal(e["amount"]),
            date.fromisoformat(e["first"]),
            date.fromisoformat(e["last"]),
            e["StageName"] == "Posted",
        )
        for e in sorted(expected, key=lambda e: e["StageName"])
    ]
    assert line.rows("select count(*) from canonical.customers") == [(115,)]
    assert line.quarantined() == []


OPPORTUNITY = "Id,Name,StageName,CloseDate,Amount,SystemModstamp"


def test_a_record_that_one_file_states_in_two_ways_is_refused_until_a_later_file_settles_it(line: Line) -> None:
    two_ways = tuple(f"1,A,Closed Won,2024-01-01,{amount},2024-01-02T00:00:00Z" for amount in (10, 20))
    repeated = ("2,B,Closed Won,2024-01-01,5,2024-01-02T00:00:00Z",) * 2
    newer = ("3,C,Closed Won,2024-01-01,6,2024-01-03T00:00:00Z", "3,C,Closed Won,2024-01-01,7,2024-01-02T00:00:00Z")
    line.give("salesforce", {"Opportunity_1.csv": table(OPPORTUNITY, *two_ways, *repeated, *newer)}).run()
    amounts = "select opportunity_id, amount from canonical.opportunities order by 1"
    assert line.rows(amounts) == [("crm:2", Decimal(5)), ("crm:3", Decimal(6))]
    [(_, key, reason)] = line.quarantined()
    assert key == "crm:1"
    assert "several rows in one file of opportunity" in str(reason)
    line.give("salesforce", {"Opportunity_2.csv": table(OPPORTUNITY, two_ways[0])}).run()
    assert line.rows(amounts)[0] == ("crm:1", Decimal(10))
    assert line.quarantined() == []


def test_a_renamed_amount_is_asked_for(line: Line) -> None:
    renamed = OPPORTUNITY.replace("Amount", "Amuont")
    line.give("salesforce", {"Opportunity.csv": table(renamed, "1,A,Won,2024-01-01,5,")})
    assert "renamed to amuont?" in line.run().refused[0]
