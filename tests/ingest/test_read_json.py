"""JSON: kinds, pages, events, embedded lists, and digits that must not be lost."""

import json

from tests.ingest.conftest import SHOP, Company

INVOICE = {
    "object": "invoice",
    "id": "in_1",
    "total": 1999,
    "created": 1_700_000_000,
    "status_transitions": {"paid_at": 1_700_000_001},
    "lines": {
        "object": "list",
        "data": [{"object": "line_item", "id": "il_1", "amount": 5}, {"id": "il_2", "amount": 7}],
    },
}


def lines(*objects: dict[str, object]) -> str:
    return "".join(json.dumps(o) + "\n" for o in objects)


def test_nested_members_are_reached_and_embedded_lists_feed_their_own_table(company: Company) -> None:
    company.take("invoices.jsonl", lines(INVOICE, {**INVOICE, "id": "in_2", "lines": {"data": []}}))
    company.load()
    assert company.query("select id, total, paid_at, _version::varchar from raw_shop.invoice order by _row") == [
        ("in_1", "1999", "1700000001", "2023-11-14 22:13:20"),
        ("in_2", "1999", "1700000001", "2023-11-14 22:13:20"),
    ]
    assert company.query("select id, amount, invoice, position, _row from raw_shop.invoice_line order by _row") == [
        ("il_1", "5", "in_1", "1", 1),
        ("il_2", "7", "in_1", "2", 2),
    ]


def test_a_child_that_arrives_embedded_and_alone_is_one_record(company: Company) -> None:
    company.take("invoices.jsonl", lines(INVOICE))
    company.take("more.jsonl", lines({"object": "line_item", "id": "il_1", "amount": 5, "invoice": "in_1"}))
    company.load()
    assert company.query("select count(*) from raw_shop.invoice_line") == [(3,)]
    assert company.query("select id from latest_shop.invoice_line order by 1") == [("il_1",), ("il_2",)]


def test_a_mixed_file_feeds_every_table_and_names_what_it_left_out(company: Company) -> None:
    company.take(
        "dump.jsonl",
        lines(
            INVOICE,
            {"object": "customer", "id": "c1", "name": "Ada", "parent": {"id": "c0"}},
            {"object": "customer", "id": "c2", "name": "Bob", "parent": "c0"},
            {"object": "mandate", "id": "m1"},
        ),
    )
    (file,) = company.load().files
    assert (file.table, file.rows) == ("_mixed", 5)
    assert "mandate (1)" in file.notes[0]
    assert company.query("select id, parent from raw_shop.customer order by 1") == [("c1", "c0"), ("c2", "c0")]


def test_of_two_events_the_later_one_wins_however_they_are_listed(company: Company) -> None:
    customer = {"object": "customer", "id": "c1"}
    events = [
        {"object": "event", "id": "evt_2", "created": 200, "data": {"object": {**customer, "name": "new"}}},
        {"object": "event", "id": "evt_1", "created": 100, "data": {"object": {**customer, "name": "old"}}},
    ]
    company.take("events.json", json.dumps({"object": "list", "data": events}))
    company.load()
    assert company.query("select name from latest_shop.customer") == [("new",)]


def test_events_are_unwrapped(company: Company) -> None:
    company.take("evt.json", json.dumps({"object": "event", "id": "evt_1", "data": {"object": INVOICE}}))
    company.load()
    assert company.query("select id from raw_shop.invoice") == [("in_1",)]


def test_rest_pages_with_omitted_nulls_and_slashed_dates_load(company: Company) -> None:
    page = {
        "count": 2,
        "hasMore": True,
        "items": [
            {"id": "7", "name": "Ada", "lastmodifieddate": "3/31/2024"},
            {"id": "8", "name": "Bob", "balance": "12.30"},
        ],
        "offset": 0,
        "totalResults": 2,
    }
    company.take("customer_page_001.json", json.dumps(page))
    company.load()
    assert company.query("select id, balance, _version::varchar from raw_shop.customer order by id") == [
        ("7", None, "2024-03-31 00:00:00"),
        ("8", "12.30", None),
    ]


def test_no_digit_of_a_long_number_is_lost(company: Company) -> None:
    company.take(
        "customers.jsonl",
        '{"object":"customer","id":12345678901234567890,"name":"a","balance":12345678901234567.89}\n'
        '{"object":"customer","id":2,"name":"b","balance":0.1}\n'
        '{"object":"customer","id":3,"name":"c","balance":-1.10}\n',
    )
    company.load()
    assert company.query("select id, balance from raw_shop.customer order by _row") == [
        ("12345678901234567890", "12345678901234567.89"),
        ("2", "0.1"),
        ("3", "-1.1"),
    ]


def test_lists_and_objects_arrive_as_their_json_text_and_null_and_empty_as_null(company: Company) -> None:
    company.take(
        "customers.jsonl",
        '{"object":"customer","id":"1","name":{"a":[1,2]},"balance":null}\n'
        '{"object":"customer","id":"2","name":"x","balance":"","is_deleted":true}\n',
    )
    company.load()
    assert company.query("select name, balance, is_deleted, _deleted from raw_shop.customer order by id") == [
        ('{"a":[1,2]}', None, None, False),
        ("x", None, "true", True),
    ]


def test_members_are_found_in_any_spelling(company: Company) -> None:
    company.describe(
        SHOP.replace('kind = "object"', 'kind = "attributes.type"').replace('kind = "customer"', 'kind = "Cust"')
    )
    company.take(
        "x.json",
        '{"data":[{"attributes":{"type":"Cust"},"Id":"1","Name":"A","LastModifiedDate":"2024-01-02T03:04:05.000+0000"}]}',
    )
    company.load()
    assert company.query("select id, name, _version::varchar from raw_shop.customer") == [
        ("1", "A", "2024-01-02 03:04:05")
    ]


def test_objects_of_unknown_kinds_alone_are_refused(company: Company) -> None:
    company.take("customers.jsonl", '{"object":"customer","id":"1","name":"a"}\n')
    company.describe(SHOP.replace('kind = "customer"', 'kind = "client"'))
    (file,) = company.load().files
    assert file.verdict == "refused"
    assert "customer (1)" in file.reason
