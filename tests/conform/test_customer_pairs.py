"""Customers of three systems through LAND, LOAD and CONFORM: what is matched, decided, and made again from landing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from finpipe.conform.matching import Decided, Pair, Record, bring_up, store
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


# The table by itself --------------------------------------------------------------------------------------------------

TABLES = """
create schema canonical; create schema ledger; create schema matching;
create table ledger.conformed (entity varchar primary key, inputs varchar);
insert into ledger.conformed values ('customers', 'c1'), ('decisions', 'd1'), ('invoices', 'i1');
create table canonical.customers (customer_id varchar, system varchar, name varchar, country varchar, city varchar,
    postal_code varchar, tax_id varchar, email varchar, website varchar, crm_customer_id varchar,
    billing_customer_id varchar, erp_customer_id varchar, merged_into_customer_id varchar, is_deleted boolean);
create table canonical.decisions (decision_id varchar, kind varchar, subject varchar, payload varchar,
    decided_at timestamp, is_deleted boolean);
insert into canonical.customers by name
    select * from (values ('erp:1', 'netsuite'), ('crm:1', 'salesforce')) as given (customer_id, system),
    (select 'Acme Foods' as name, 'US' as country, 'Alton' as city, '12345' as postal_code, 'US555000111' as tax_id,
        'ap@acme.example' as email, 'acme.example' as website, false as is_deleted);
"""


@pytest.fixture
def kept() -> Iterator[duckdb.DuckDBPyConnection]:
    """One customer of two systems, and no decision."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(store.TABLE)
        yield connection


JOINED = ("crm:1", "erp:1", "joined", "tax id", False)


def test_pairs_are_made_again_when_what_they_follow_from_changed(
    kept: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Customers, decisions, or a rule; not when any other entity did."""
    shutil.copytree(Path(store.__file__).parent, tmp_path / "matching")
    monkeypatch.setattr(store, "__file__", str(tmp_path / "matching" / "store.py"))
    assert (bring_up(kept), bring_up(kept)) == (True, False)
    assert kept.execute(PAIRS).fetchall() == [JOINED]
    for entity, follows in (("customers", True), ("decisions", True), ("invoices", False)):
        kept.execute("update ledger.conformed set inputs = 'other' where entity = ?", [entity])
        assert (bring_up(kept), bring_up(kept)) == (follows, False)
    (tmp_path / "matching" / "judge.py").write_text("# another rule: größer\n", encoding="utf-8")
    assert (bring_up(kept), bring_up(kept)) == (True, False)
    assert kept.execute(PAIRS).fetchall() == [JOINED]


def test_pairs_are_kept_with_all_that_is_said_of_them(kept: duckdb.DuckDBPyConnection) -> None:
    same = ["decisions:1", "customer_match", "crm:1 erp:1", json.dumps({"verdict": "same"}), "2025-01-01", False]
    kept.execute("insert into canonical.decisions values (?, ?, ?, ?, ?, ?)", same)
    assert bring_up(kept)
    assert kept.execute("select * from matching.customer_pairs").fetchall() == [
        ("crm:1", "erp:1", "joined", "decision", 100, "a person said so", "decisions:1", False)
    ]
    described = kept.execute("describe matching.customer_pairs").fetchall()
    assert [(row[0], row[1].lower()) for row in described] == [(name, kind) for name, kind, _ in store.COLUMNS]
    assert kept.execute("select view_name from duckdb_views() where view_name = 'matched_pairs'").fetchall() == []
    kept.execute("delete from canonical.customers; delete from canonical.decisions; delete from ledger.conformed")
    assert bring_up(kept)
    assert kept.execute(PAIRS).fetchall() == []


def test_a_contradicted_pair_is_kept_as_such(kept: duckdb.DuckDBPyConnection) -> None:
    store._write(kept, [Pair("a", "b", "parted", "decision", 0, "why", "d", is_contradicted=True)])
    assert kept.execute("select * from matching.customer_pairs").fetchall() == [
        ("a", "b", "parted", "decision", 0, "why", "d", True)
    ]


def test_records_in_force_and_those_merged_away_are_read_with_whom_they_name(kept: duckdb.DuckDBPyConnection) -> None:
    kept.execute(
        "update canonical.customers set crm_customer_id = 'crm:1', billing_customer_id = 'billing:1', "
        "erp_customer_id = 'erp:2', merged_into_customer_id = 'erp:3', is_deleted = true where customer_id = 'erp:1'"
    )
    gone = "select 'crm:2' as customer_id, 'salesforce' as system, true as is_deleted"
    kept.execute(f"insert into canonical.customers by name {gone}")
    facts = ("Acme Foods", "US", "Alton", "12345", "US555000111", "ap@acme.example", "acme.example")
    assert store._records(kept) == [
        Record("crm:1", "salesforce", *facts),
        Record("erp:1", "netsuite", *facts, names=("crm:1", "billing:1", "erp:2", "erp:3")),
    ]


@pytest.mark.parametrize(
    ("subject", "payload", "said"),
    [
        ("crm:1 erp:1", '{"verdict": "same"}', ("crm:1", "erp:1", "same")),
        ("crm:1  erp:1", '{"verdict": 7}', ("crm:1", "erp:1", "7")),
        ("crm:1", '{"verdict": "same"}', ("crm:1", "crm:1", "same")),
        ("a b c", '{"verdict": "same"}', ("a b c", "a b c", "same")),
        ("crm:1 erp:1", None, ("crm:1", "erp:1", "")),
        ("crm:1 erp:1", "{", ("crm:1", "erp:1", "")),
        ("crm:1 erp:1", "{}", ("crm:1", "erp:1", "")),
        ("crm:1 erp:1", "[1]", ("crm:1", "erp:1", "")),
    ],
)
def test_a_decision_is_read_and_a_garbled_one_says_nothing(
    subject: str, payload: str | None, said: tuple[str, str, str]
) -> None:
    assert store._read("decisions:1", subject, payload) == Decided("decisions:1", *said)


def test_decisions_about_pairs_are_read_oldest_first(kept: duckdb.DuckDBPyConnection) -> None:
    for key, kind, at, deleted in [
        ("d:3", "customer_match", "2025-01-02", False), ("d:2", "customer_match", "2025-01-02", False),
        ("d:9", "customer_match", "2025-01-01", False), ("d:4", "customer_match", "2025-01-01", True),
        ("d:5", "waive", "2025-01-01", False),
    ]:  # fmt: skip
        kept.execute(
            "insert into canonical.decisions values (?, ?, 'crm:1 erp:1', '{}', ?, ?)", [key, kind, at, deleted]
        )
    assert [d.decision_id for d in store._decided(kept)] == ["d:9", "d:2", "d:3"]
