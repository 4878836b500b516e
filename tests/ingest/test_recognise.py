"""Which table a file feeds."""

import gzip
from pathlib import Path

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention

from finpipe.errors import FinpipeError
from finpipe.ingest.names import snake
from finpipe.ingest.recognise import recognise, table_by_name
from tests.ingest.conftest import Company

NAMES = [
    ("customer.csv", "customer"),
    ("Customer.csv", "customer"),
    ("customers.csv.gz", "customer"),
    ("shop_customer_data.csv", "customer"),
    ("Customer_2024-03-31.csv", "customer"),
    ("customer-20240331T140506Z.csv", "customer"),
    ("customer_page_003.json", "customer"),
    ("customer_part2.csv", "customer"),
    ("001_customer.csv", "customer"),
    ("InvoiceLine.csv", "invoice_line"),
    ("invoiceline.csv", "invoice_line"),
    ("invoice_lines_batch_7.jsonl", "invoice_line"),
    ("opportunity_history.csv", None),
    ("opportunity_line_item.csv", None),
    ("customers_old.csv", None),
]


@pytest.mark.parametrize(("name", "table"), NAMES, ids=[n for n, _ in NAMES])
def test_a_file_is_recognised_by_its_whole_name(company: Company, name: str, table: str | None) -> None:
    assert table_by_name(company.system, name) == table


def test_the_folder_tells_when_the_name_does_not(company: Company) -> None:
    assert table_by_name(company.system, "export.csv", "Customers") == "customer"


def test_a_file_that_feeds_nothing_is_refused_with_the_tables_there_are(company: Company) -> None:
    with pytest.raises(FinpipeError) as refused:
        recognise(company.system, company.write("opportunity_history.csv", "id\n"))
    assert "customer, invoice, invoice_line, movement, opportunity" in refused.value.fix


CONTENT = [
    ('{"object":"customer","id":"c"}\n', "customer"),
    ('{\n  "object": "customer",\n  "id": "c"\n}', "customer"),
    ('[{"object":"invoice","id":"i"},{"object":"invoice","id":"j"}]', "invoice"),
    ('{"object":"list","data":[{"object":"invoice","id":"i"}],"has_more":false}', "invoice"),
    ('{"object":"event","data":{"object":{"object":"invoice","id":"i"}}}', "invoice"),
    ('{"object":"customer","id":"c"}\n{"object":"invoice","id":"i"}\n', "_mixed"),
    ('{"object":"customer","id":"c"}\n{"object":"mandate","id":"i"}\n', "_mixed"),
]


@pytest.mark.parametrize(("content", "table"), CONTENT)
def test_objects_tell_their_table_whatever_the_name(company: Company, content: str, table: str) -> None:
    assert recognise(company.system, company.write("anything_at_all.json", content)) == table


def test_objects_without_kind_go_by_the_name(company: Company) -> None:
    assert recognise(company.system, company.write("customers.jsonl", '{"id":"c","name":"n"}\n')) == "customer"


@pytest.mark.parametrize(
    "name",
    [
        "ERP_Customer_Id__c",
        "Product2Id",
        "npe01__Payment_Amount__c",
        "a.b",
        "ACCOUNTID",
        "x-y z",
        "2abc",
        "Private__c_",
    ],
)
def test_names_are_normalised_as_dlt_does(name: str) -> None:
    assert snake(name) == NamingConvention().normalize_identifier(name)


def test_a_packed_page_is_looked_into(company: Company, tmp_path: Path) -> None:
    packed = gzip.compress(b'{"object":"list","data":[{"object":"invoice","id":"i"}]}')
    assert recognise(company.system, company.write("page.json.gz", packed)) == "invoice"
