"""Statement lines of banks become signed, dated rows, and statements prove their own completeness."""

import json
from decimal import Decimal
from pathlib import Path

from finpipe.settings import Home
from tests.sources.conftest import NewCompany
from tests.sources.through import Line

HEADER = (
    "statement_id,account_id,line_number,booking_date,value_date,amount,currency,bank_reference,"
    "end_to_end_reference,description,counterparty,balance_after\n"
)


def test_native_csv_lines(company_of: NewCompany) -> None:
    company = company_of("bank", {"variables": {"account_entities": "A1=7, A2=8"}})
    company.land(
        {
            "statement_USD.csv": HEADER
            + "S1,A1,1,2024-03-01,2024-03-02,100.50,USD,BK1,TRC1,STRIPE PAYOUT po_1,Stripe,1100.50\n"
            + "S1,A1,2,2024-03-04,2024-03-04,-0.50,USD,BK2,,FEE,Bank,1100.00\n"
        }
    )
    company.conform()
    assert company.rows(
        "select source_id, bank_account, legal_entity_id, statement_ref, booked_on, value_on, amount, bank_ref, "
        "end_to_end_ref, balance_amount from canonical.bank_transactions order by 1"
    ) == [
        ("A1:S1:1", "A1", "erp:7", "S1", "2024-03-01", "2024-03-02", "100.50", "BK1", "TRC1", "1100.50"),
        ("A1:S1:2", "A1", "erp:7", "S1", "2024-03-04", "2024-03-04", "-0.50", "BK2", None, "1100.00"),
    ]
    assert company.rows("select subject, scope, stated_on, stated_amount from canonical.control_totals order by 1") == [
        ("bank_balance", "A1", "2024-03-04", "1100.00"),
        ("bank_movement", "A1/S1", "2024-03-04", "100.00"),
        ("bank_opening_balance", "A1", "2024-03-01", "1000.00"),
    ]


def test_other_spellings_with_debit_and_credit_apart(company_of: NewCompany) -> None:
    company = company_of(
        "bank",
        {"date_formats": ["%d/%m/%Y"], "variables": {"default_account": "A9", "default_currency": "gbp"}},
        legal_entity={"id": "1"},
    )
    company.land(
        {
            "transactions.csv": "Posting Date,Details,Debit,Credit,Reference\n"
            "31/03/2024,rent,1000.00,,R1\n31/03/2024,sale,,250.10,R2\n01/04/2024,fee,-3.00,0.00,R3\n"
        }
    )
    company.conform()
    assert company.rows(
        "select bank_account, legal_entity_id, booked_on, currency, amount, bank_ref from canonical.bank_transactions "
        "order by bank_ref"
    ) == [
        ("A9", "erp:1", "2024-03-31", "GBP", "-1000.00", "R1"),
        ("A9", "erp:1", "2024-03-31", "GBP", "250.10", "R2"),
        ("A9", "erp:1", "2024-04-01", "GBP", "-3.00", "R3"),
    ]


def test_equal_lines_stay_two_and_the_same_lines_again_stay_two(company_of: NewCompany) -> None:
    lines = "A1,2024-03-01,-4.50,USD,coffee\n" * 2
    company = company_of("bank")
    header = "account,date,amount,currency,description\n"
    company.land({"lines.csv": header + lines, "lines_2.csv": header + lines + "A1,2024-03-02,1.00,USD,x\n"})
    company.conform()
    assert company.rows("select count(*), sum(amount) from canonical.bank_transactions") == [(3, "-8.00")]


def test_a_corrected_line_replaces_itself_and_a_double_number_is_refused(company_of: NewCompany) -> None:
    company = company_of("bank")
    line = "S1,A1,{},2024-03-01,2024-03-01,{},USD,,,{},,\n"
    company.land({"statement.csv": HEADER + line.format(1, "10.00", "old") + line.format(2, "5.00", "same")})
    company.land({"statement_2.csv": HEADER + line.format(1, "11.00", "new")})
    company.land({"statement_3.csv": HEADER + line.format(3, "1.00", "a") + line.format(3, "2.00", "b")})
    company.conform()
    assert company.rows("select description, amount from canonical.bank_transactions order by 1") == [
        ("new", "11.00"),
        ("same", "5.00"),
    ]
    assert [key for _, key, _ in company.refused()] == ["bank:A1:S1:3"] * 2


def test_bad_text_reaches_the_gate_as_it_was(company_of: NewCompany) -> None:
    company = company_of("bank")
    company.land(
        {
            "statement.csv": HEADER
            + "S1,A1,1,2024-02-30,2024-03-01,10.00,USD,,,,,\n"
            + 'S1,A1,2,2024-03-01,2024-03-01,"1,234.56",USD,,,,,\n'
            + "S1,,3,2024-03-01,2024-03-01,1.00,ZZZ,,,,,\n"
        }
    )
    company.conform()
    assert company.rows("select count(*) from canonical.bank_transactions") == [(0,)]
    reasons = " ".join(why for _, _, why in company.refused())
    for said in ("'2024-02-30'", "'1,234.56'", "bank_account is missing", "'ZZZ'"):
        assert said in reasons


def test_an_mt940_statement_gives_lines_and_balances(company_of: NewCompany) -> None:
    company = company_of("bank")
    company.land(
        {
            "march.sta": ":20:REF\n:25:NL01BANK/0001\n:28C:00007/001\n:60F:C240229EUR1000,00\n"
            ":61:2403010301C250,50NTRFINV-1//BK77\n:86:INVOICE INV-1\n"
            ":61:2403020302D0,50NCHGNONREF\n:86:FEE\n:62F:C240302EUR1250,00\n-\n"
        }
    )
    company.conform()
    assert company.rows(
        "select bank_account, booked_on, currency, amount from canonical.bank_transactions order by booked_on"
    ) == [("NL01BANK/0001", "2024-03-01", "EUR", "250.50"), ("NL01BANK/0001", "2024-03-02", "EUR", "-0.50")]
    assert company.rows("select subject, stated_on, stated_amount from canonical.control_totals order by 1") == [
        ("bank_balance", "2024-03-02", "1250.00"),
        ("bank_movement", "2024-03-02", "250.00"),
        ("bank_opening_balance", "2024-02-29", "1000.00"),
    ]
    assert company.rows(
        "select c.stated_amount - sum(t.amount) from canonical.control_totals c "
        "join canonical.bank_transactions t on c.scope = t.bank_account || '/' || t.statement_ref "
        "where c.subject = 'bank_movement' group by c.stated_amount"
    ) == [("0.00",)]


#: The parser behind expected.json reads RC, the reversal of a credit, as a credit. The statements' own balances
#: say that it takes money: two such lines of 204.88 lower the sum by twice that.
REVERSED_CREDITS = {"betterplace_sepa_mt9401.sta": Decimal("-819.52")}


def _truth(data: Path) -> dict[str, tuple[int, Decimal]]:
    expected = json.loads((data / "expected.json").read_text())["mt940"]
    return {
        name: (e["transactions"], Decimal(e["sum"]) + REVERSED_CREDITS.get(name, Decimal(0)))
        for name, e in expected.items()
    }


#: Lines of these stand in the long statement too: the same lines, so that of both files together they count once.
PARTS_OF_ANOTHER = ("betterplace_sepa_snippet.sta",)


def test_real_mt940_statements_tie_to_their_totals(company_of: NewCompany, shared_data: Path) -> None:
    company = company_of("bank")
    truth = _truth(shared_data)
    company.land_paths([shared_data / "bank" / "mt940" / name for name in truth if name not in PARTS_OF_ANOTHER])
    company.conform()
    # One statement is in marks, which ISO 4217 withdrew: the gate refuses its lines, and their money is still counted.
    assert {why for entity, _, why in company.refused()} == {"currency is 'DEM': not an ISO 4217 currency code"}
    found = company.rows(
        "select l.original_name, count(*), sum(line.amount) from ("
        "select load_seq, amount from canonical.bank_transactions union all "
        "select load_seq, amount from quarantine.rows where entity = 'bank_transactions') line "
        "join ledger.loads l using (load_seq) group by 1 order by 1"
    )
    assert {name: (count, Decimal(total)) for name, count, total in found} == {
        name: figures for name, figures in truth.items() if name not in PARTS_OF_ANOTHER
    }


def test_a_part_of_a_statement_ties_on_its_own(company_of: NewCompany, shared_data: Path) -> None:
    company = company_of("bank")
    company.land_paths([shared_data / "bank" / "mt940" / name for name in PARTS_OF_ANOTHER])
    company.conform()
    ((count, total),) = company.rows("select count(*), sum(amount) from canonical.bank_transactions")
    assert (count, Decimal(total)) == _truth(shared_data)[PARTS_OF_ANOTHER[0]]


def test_lines_of_real_statements_meet_the_movement_their_balances_state(
    company_of: NewCompany, shared_data: Path
) -> None:
    company = company_of("bank")
    company.land_paths([shared_data / "bank" / "mt940" / "betterplace_sepa_mt9401.sta"])
    company.conform()
    assert company.rows(
        "select count(*), count(*) filter (c.stated_amount = coalesce(t.amount, 0)) from canonical.control_totals c "
        "left join (select bank_account || '/' || statement_ref as scope, sum(amount) as amount "
        "from canonical.bank_transactions group by 1) t using (scope) where c.subject = 'bank_movement'"
    ) == [(26, 26)]


def test_text_beside_a_zero_is_refused_and_no_amount_is_not_zero(company_of: NewCompany) -> None:
    company = company_of("bank", {"variables": {"default_account": "A1", "default_currency": "USD"}})
    company.land(
        {
            "statement.csv": 'Date,Description,Debit,Credit\n2024-01-01,d,"1,234.56",0.00\n2024-01-01,c,0,N/A\n'
            "2024-01-01,n,,\n2024-01-01,ok,7.00,9.00\n"
        }
    )
    company.conform()
    assert company.rows("select description, amount from canonical.bank_transactions") == [("ok", "2.00")]
    assert sorted(reason for _, _, reason in company.refused()) == [
        "amount is '1,234.56': expected a plain decimal (digits, one point) with at most 4 decimals",
        "amount is 'N/A': expected a plain decimal (digits, one point) with at most 4 decimals",
        "amount is missing",
    ]


def test_a_statement_whose_amounts_have_another_name_is_refused(home: Home, tmp_path: Path) -> None:
    line = Line(home, tmp_path / "extracts")
    line.give("bank", {"statement.csv": "Date,Description,Amuont,Currency\n2024-01-01,d,5.00,USD"}).run()
    [said] = line.refused
    assert "required column amount or debit or credit is missing (renamed to amuont?)" in said
