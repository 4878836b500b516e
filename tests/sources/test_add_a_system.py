"""docs/howto/add_a_system.md, followed block by block, adds a system that works."""

import re
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.settings import PROJECT, Home
from finpipe.systems import Table
from tests.sources.through import Line

PAGE = PROJECT / "docs" / "howto" / "add_a_system.md"
BLOCK = re.compile(r"[Pp]ut this in `([^`]+)`[^\n]*:\n\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """The page's files, written where it says; the company and its systems are those of the page."""
    for name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Line(Home(tmp_path / "our_company", tmp_path / "our_systems"), tmp_path / "extracts")


def test_every_file_of_the_page_is_found() -> None:
    names = [name for name, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
    assert len(names) == 10
    assert len(names) == PAGE.read_text(encoding="utf-8").count("ut this in `")


def test_the_page_explains_every_key() -> None:
    text = PAGE.read_text(encoding="utf-8")
    keys = {f.name for f in fields(Table)} - {"name"}
    keys |= {"role", "owner", "about", "prefixes", "suffixes", "timezone", "date_formats"}
    explained = set(re.findall(r"`(\w+)`", text[text.index("## Every key") :]))
    assert keys <= explained


def test_the_example_ties_and_the_orphan_line_waits(line: Line) -> None:
    line.land("adventureworks", [line.folder]).run()
    assert line.refused == []
    assert line.rows(
        "select invoice_id, legal_entity_id, gross_amount, discount_amount, net_amount, tax_amount, total_amount "
        "from canonical.invoices order by 1"
    ) == [
        ("erp:71774", "erp:1", *tuple(map(Decimal, ("960.4117", "58.1505", "902.2612", "70.4279", "972.6891")))),
        ("erp:71776", "erp:1", *tuple(map(Decimal, ("80.7803", "0", "80.7803", "6.3048", "87.0851")))),
    ]
    assert line.rows(
        "select invoice_id, sum(gross_amount), sum(discount_amount), sum(net_amount) "
        "from canonical.invoice_lines group by 1 order by 1"
    ) == line.rows("select invoice_id, gross_amount, discount_amount, net_amount from canonical.invoices order by 1")
    ((entity, key, why),) = line.quarantined()
    assert (entity, key) == ("invoice_lines", "erp:99999/110999")
    assert "has no accepted row in invoices: land its header, or mend the header that was refused" in str(why)
    assert line.rows("select amount, currency, owner from quarantine.rows") == [(Decimal("127.8"), "USD", "AR")]


def test_the_orphan_line_leaves_quarantine_when_its_header_lands(line: Line) -> None:
    line.land("adventureworks", [line.folder]).run()
    header = (
        "salesorderid,orderdate,duedate,status,customerid,subtotal,taxamt,freight,totaldue,modifieddate\n"
        "99999,2011-06-02 00:00:00,2011-06-14 00:00:00,5,30072,127.8000,0,0,127.8000,2011-06-09 00:00:00"
    )
    line.give("adventureworks", {"salesorderheader_2.csv": header}).run()
    assert line.quarantined() == []
    assert line.rows("select sum(net_amount) from canonical.invoice_lines where invoice_id = 'erp:99999'") == [
        (Decimal("127.8"),)
    ]


def test_the_real_adventureworks_ties(line: Line, shared_data: Path) -> None:
    folder = shared_data / "orders" / "adventureworks"
    names = ("salesorderheader", "salesorderdetail", "customer", "product")
    line.land("adventureworks", [folder / f"{name}.csv" for name in names]).run()
    assert line.refused == []
    assert line.rows(
        "select count(*), sum(net_amount), sum(tax_amount), sum(total_amount) from canonical.invoices"
    ) == [(1566, *map(Decimal, ("12885622.4727", "1144449.3565", "14030071.8292")))]
    assert line.rows("select count(*), sum(net_amount) from canonical.invoice_lines where description is null") == [
        (5716 - 41, Decimal("12527981.9927"))
    ]
    assert line.rows("select sum(net_amount) from canonical.invoice_lines where description = 'Freight'") == [
        (Decimal("357640.48"),)
    ]
    assert line.rows("select entity, count(*), sum(amount), min(currency) from quarantine.rows group by 1") == [
        ("invoice_lines", 41, Decimal("113690.2202"), "USD")
    ]
    differing = line.rows(
        "select count(*) from canonical.invoices i join (select invoice_id, sum(net_amount) as net, "
        "sum(discount_amount) as discount from canonical.invoice_lines group by 1) l using (invoice_id) "
        "where i.net_amount <> l.net or i.discount_amount <> l.discount"
    )
    assert differing == [(0,)]
