"""MT940 statements against independent counts, and torn ones."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.settings import Home
from tests.ingest.conftest import Company

#: The parser behind expected.json takes a reversed credit (RC 409,76) for money in; the statement's own balances only
#: add up with money out, which is what RC means.
REVERSED = {"betterplace_sepa_mt9401.sta": Decimal("409.76")}

STATEMENT = """:20:REF1
:25:NL01BANK/123
:28C:7/1
:60F:C240101EUR100,00
:61:2401020102D10,50NTRFNONREF//B1
:86:Fee January
:61:2401020102RC1,00NTRFE2E-1//B2
:61:2401030103C5,NTRFINV-7//B3
:86:Payment INV-7
:62F:C240103EUR93,50
-
"""


@pytest.fixture
def bank(tmp_path: Path) -> Company:
    return Company(Home(tmp_path / "home"), tmp_path / "incoming", name="bank")


def test_lines_are_signed_and_meet_the_balances(bank: Company) -> None:
    bank.take("march.sta", STATEMENT)
    (file,) = bank.load().files
    assert file.notes == ()
    assert bank.query(
        "select statement_id, line_number, value_date, amount, currency, bank_reference "
        "from raw_bank.statement_line order by _row"
    ) == [
        ("7/1", "1", "2024-01-02", "-10.50", "EUR", "B1"),
        ("7/1", "2", "2024-01-02", "-1.00", "EUR", "B2"),
        ("7/1", "3", "2024-01-03", "5", "EUR", "B3"),
    ]
    assert bank.query("select opening_balance, closing_balance from raw_bank.statement_total") == [("100.00", "93.50")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.sta", STATEMENT.replace(":62F:C240103EUR93,50\n", ""), "closing"),
        ("b.sta", STATEMENT.replace("2401030103C5,", "24013X0103C5,"), "torn or not MT940"),
        ("c.940", "id,name\n1,2\n", "no :20: tag"),
    ],
)
def test_torn_statements_are_refused(bank: Company, name: str, content: str, said: str) -> None:
    bank.take(name, content)
    (file,) = bank.load().files
    assert file.verdict == "refused"
    assert said in file.reason


def test_lines_that_do_not_meet_the_balances_are_noted(bank: Company) -> None:
    bank.take("a.sta", STATEMENT.replace("93,50", "94,50"))
    assert "balances move by -5.50, its lines by -6.50" in bank.load().files[0].notes[0]


def test_real_statements_give_the_expected_counts_and_sums(bank: Company, shared_data: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())["mt940"]
    for path in sorted((shared_data / "bank" / "mt940").glob("*.sta")):
        assert bank.take(path.name, path.read_bytes()).verdict == "landed"
    bank.load()
    found = bank.query(
        "select original_name, count(*), sum(amount::decimal(18, 2)) from raw_bank.statement_line l "
        "join ledger.loads on load_seq = _load_seq group by 1"
    )
    assert {name: (n, total + 2 * REVERSED.get(name, Decimal(0))) for name, n, total in found} == {
        name: (e["transactions"], Decimal(e["sum"])) for name, e in expected.items()
    }
