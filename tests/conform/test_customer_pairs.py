"""Customers of three systems through LAND, LOAD and CONFORM: what is matched, decided, and made again from landing."""

import json
import shutil
from pathlib import Path

import pytest

from finpipe.settings import Home
from tests.sources.through import Line, table

ACCOUNTS = table(
    "Id,Name,Website,BillingCountryCode,BillingCity,BillingPostalCode,Tax_Id__c,SystemModstamp",
    "001A,Acme Foods Inc.,https://www.acme.example,US,Alton,12345,,2024-01-02T08:30:00.000Z",
    "001B,Birch Paper GmbH,,DE,Norby,54321,DE811234567,2024-01-02T08:30:00.000Z",
    "001C,Cobalt Glass,,,,,,2024-01-02T08:30:00.000Z",
)
CUSTOMERS = table(
    "id,entityid,companyname,email,vatregnumber,billcity,billzipcode,billcountry,lastmodifieddate",
    "501,C1,ACME FOODS,ap@acme.example,,ALTON,12345,US,2024-01-02 10:15:00",
    "502,C2,Birch Papier,,811 234 567,,,DE,2024-01-02 10:15:00",
    "503,C3,Cobalt Glass Ltd,,,,,,2024-01-02 10:15:00",
)
STRIPE = {
    "id": "cus_A",
    "object": "customer",
    "name": "Acme Foods",
    "email": "billing@acme.example",
    "address": {"country": "US", "city": "Alton", "postal_code": "12345"},
    "created": 1704186000,
}
PAIRS = "select left_id, right_id, verdict, rule, is_contradicted from matching.customer_pairs order by all"
MATCHED = [
    ("billing:cus_A", "crm:001A", "joined", "domain, country and name", False),
    ("billing:cus_A", "erp:501", "joined", "domain, country and name", False),
    ("crm:001A", "erp:501", "joined", "domain, country and name", False),
    ("crm:001B", "erp:502", "joined", "tax id", False),
    ("crm:001C", "erp:503", "suggested", "name alone", False),
]


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    line = Line(home, tmp_path / "extracts")
    line.give("salesforce", {"Account.csv": ACCOUNTS})
    line.give("netsuite", {"customer.csv": CUSTOMERS})
    return line.give("stripe", {"customer.jsonl": json.dumps(STRIPE)})


def decision(number: int, subject: str, verdict: str) -> str:
    return json.dumps(
        {
            "id": f"d{number}",
            "kind": "customer_match",
            "subject": subject,
            "decided_by": "ana",
            "decided_at": f"2025-07-01T09:00:0{number}Z",
            "as_of_on": "2025-06-30",
            "reason": "looked at the web site",
            "payload": {"verdict": verdict},
        }
    )


def test_addresses_of_three_systems_reach_the_customers_and_match_them(line: Line) -> None:
    line.run()
    assert (line.refused, line.quarantined()) == ([], [])
    places = line.rows(
        "select customer_id, city, postal_code from canonical.customers where city is not null order by 1"
    )
    assert places == [
        ("billing:cus_A", "Alton", "12345"),
        ("crm:001A", "Alton", "12345"),
        ("crm:001B", "Norby", "54321"),
        ("erp:501", "ALTON", "12345"),
    ]
    assert line.rows(PAIRS) == MATCHED


def test_decisions_beat_the_rules_and_survive_a_rebuild(line: Line) -> None:
    line.run()
    decided = [decision(1, "crm:001C erp:503", "same"), decision(2, "crm:001B erp:502", "same")]
    decided += [decision(3, "erp:502 crm:001B", "different"), decision(4, "crm:001A", "same")]
    line.give("decisions", {"decision.jsonl": "\n".join(decided)}).run()
    after = [
        ("crm:001A", "crm:001A", "refused", "decision", False),
        *MATCHED[:3],
        ("crm:001B", "erp:502", "parted", "decision", False),
        ("crm:001C", "erp:503", "joined", "decision", False),
    ]
    assert line.rows(PAIRS) == sorted(after)
    line.home.warehouse.unlink()
    shutil.rmtree(line.home.root / "tmp", ignore_errors=True)
    line.run()
    assert line.rows(PAIRS) == sorted(after)


def test_customers_are_matched_again_only_when_something_changed(line: Line) -> None:
    line.run()
    inputs = "select inputs from ledger.conformed where entity = 'matching.customer_pairs'"
    before = line.rows(inputs)
    line.give("netsuite", {"currency.csv": table("id,name,symbol", "1,US Dollar,USD")}).run()
    line.give("decisions", {"decision.jsonl": decision(1, "crm:001C erp:503", "different")}).run()
    assert line.rows(inputs) != before
    assert ("crm:001C", "erp:503", "parted", "decision", False) in line.rows(PAIRS)
