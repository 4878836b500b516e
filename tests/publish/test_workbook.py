"""The workbook: cells by their type, and nothing in it can run."""

import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import duckdb
import pytest

from finpipe.errors import FinpipeError
from finpipe.publish import Stamps, publish
from finpipe.publish.workbook import harmless, write_workbook
from finpipe.settings import Home

NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
EVIL = "=cmd|' /C calc'!A0"


@pytest.fixture
def queue(home: Home, warehouse: duckdb.DuckDBPyConnection) -> Home:
    """Three exceptions in three currencies, one of a customer who calls himself a formula."""
    warehouse.execute(
        """
        create table marts.exceptions as
        select 'e' || i as exception_id, 'INV-AMOUNT' as code, 'blocking' as severity, 'open' as state, 'ar' as owner,
            null::varchar as assigned_to, timestamp '2025-07-01 17:00:00' as due_at, 'owner' as escalation,
            c as currency, a::decimal(18, 4) as amount, 'Jun 2025' as period, date '2025-06-30' as happened_on,
            'erp:1' as legal_entity_id, 'crm:1' as customer_id, 'R05' as origin, 'billing-erp' as leg,
            '-left' as left_key, '@right' as right_key, s as sentence, 'same' as cause, null::varchar as prepared_by,
            null::varchar as approved_by, null::varchar as waiver, null::date as waived_until_on,
            date '2025-06-30' as first_seen_on, date '2025-06-30' as open_since_on
        from (values (1, 'USD', -1234.5, ?), (2, 'JPY', 99999999, 'said'), (3, 'KWD', 99999999999999.1239, 'said'))
            as t (i, c, a, s)""",
        [EVIL],
    )
    warehouse.execute(
        """
        create table marts.exception_history as
        select 'e1' as exception_id, 'seen' as event, 1::bigint as spell, date '2025-06-30' as as_of_on,
            'the data' as decided_by, null::timestamptz as decided_at, null::varchar as reason, 'in force' as verdict,
            null::varchar as why, 'INV-AMOUNT' as code, 'ar' as owner, 'USD' as currency, 1::decimal(18, 4) as amount,
            'said' as sentence, 'x' as event_id"""
    )
    publish(home, warehouse, Stamps("2025-06-30", 1, "h", "v", 1))
    return home


def sheets(path: Path) -> dict[str, ET.Element]:
    with zipfile.ZipFile(path) as book:
        names = [n for n in book.namelist() if n.startswith(("xl/worksheets/sheet", "xl/sharedStrings", "xl/styles"))]
        return {Path(n).stem: ET.fromstring(book.read(n)) for n in names}


def test_nothing_in_it_can_run(queue: Home, tmp_path: Path) -> None:
    assert write_workbook(queue, tmp_path / "q.xlsx") == 3
    found = sheets(tmp_path / "q.xlsx")
    assert not [f for sheet in found.values() for f in sheet.iterfind(".//x:f", NAMESPACE)]
    texts = ["".join(t.itertext()) for t in found["sharedStrings"].iterfind("x:si", NAMESPACE)]
    assert f"'{EVIL}" in texts
    assert {"'-left", "'@right"} <= set(texts)
    assert not [t for t in texts if t.startswith(("=", "+", "-", "@", "\t"))]


def test_amounts_are_numbers_and_dates_are_dates_with_the_currency_s_decimals(queue: Home, tmp_path: Path) -> None:
    write_workbook(queue, tmp_path / "q.xlsx")
    found = sheets(tmp_path / "q.xlsx")
    formats = {f.attrib["formatCode"] for f in found["styles"].iterfind(".//x:numFmt", NAMESPACE)}
    assert {"yyyy-mm-dd", "yyyy-mm-dd hh:mm"} <= formats
    queued = found["sheet2"]
    cells = queued.iterfind(".//x:c", NAMESPACE)
    kinds = {c.attrib["r"]: (c.attrib.get("t"), c.findtext("x:v", None, NAMESPACE)) for c in cells}
    amounts = [kinds[f"J{row}"] for row in (2, 3, 4)]
    # More digits than Excel keeps stay text, whole.
    assert amounts[0][0] == "s"
    numbers = [(kind, Decimal(value)) for kind, value in amounts[1:]]
    assert numbers == [(None, Decimal(99999999)), (None, Decimal("-1234.5"))]
    assert kinds["L3"][0] is None


def test_headers_stay_and_filter(queue: Home, tmp_path: Path) -> None:
    write_workbook(queue, tmp_path / "q.xlsx")
    for name, sheet in sheets(tmp_path / "q.xlsx").items():
        if name.startswith("sheet"):
            assert sheet.find(".//x:pane[@state='frozen']", NAMESPACE) is not None, name
            assert sheet.find("x:autoFilter", NAMESPACE) is not None, name


def test_only_what_is_asked_for_is_written(queue: Home, tmp_path: Path) -> None:
    assert write_workbook(queue, tmp_path / "q.xlsx", "currency = 'JPY'") == 1
    assert write_workbook(queue, tmp_path / "none.xlsx", "false") == 0
    with pytest.raises(FinpipeError) as caught:
        write_workbook(queue, tmp_path / "nowhere" / "q.xlsx")
    assert caught.value.error == "there is no such folder"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx"])
def test_text_that_opens_like_a_formula_is_held_by_an_apostrophe(text: str) -> None:
    assert harmless(text) == "'" + text
    assert harmless("plain = text") == "plain = text"
