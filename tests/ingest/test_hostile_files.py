"""What the ledger and raw keep of odd files. Hostile files with their verdicts are ``tests/prove/hostile_files.py``."""

from tests.ingest.conftest import SHOP, Company

OK = "id,name\nc1,Ada\nc2,Bob\n"


def test_a_refusal_for_a_missing_column_keeps_its_name(company: Company) -> None:
    company.take("customer_1.csv", "id,balance\n1,2\n")
    company.take("customer_2.csv", "id,name\n1\n")
    company.load()
    assert company.query("select original_name, verdict, missing from ledger.loads order by load_seq") == [
        ("customer_1.csv", "refused", "name"),
        ("customer_2.csv", "refused", None),
    ]


def test_the_ledger_keeps_which_columns_a_flat_file_has_and_which_hold_values(company: Company) -> None:
    company.take("customer_1.csv", "id,name,balance,other\n1,a,,x\n2,b,,y\n")
    company.take("customer_2.json", '{"object":"customer","id":"3","name":"c"}')
    company.load()
    assert company.query("select columns, filled from ledger.loaded_tables order by load_seq") == [
        ("id,name,balance", "id,name"),
        (None, None),
    ]


def test_the_text_of_values_arrives_unchanged(company: Company) -> None:
    company.take("customer.csv", 'id,name,balance\n1," a ",1.10\n2,"",0012\n3,,"x\r\ny"\n4,"q""q",1e5\n')
    company.load()
    assert company.query("select id, name, balance from raw_shop.customer order by _row") == [
        ("1", " a ", "1.10"),
        ("2", None, "0012"),
        ("3", None, "x\r\ny"),
        ("4", 'q"q', "1e5"),
    ]


def test_a_file_without_last_line_end_is_taken_with_a_note(company: Company) -> None:
    company.take("customer.csv", OK.rstrip("\n"))
    assert "no line end" in company.load().files[0].notes[0]


def test_another_encoding_and_delimiter_are_read_when_declared(company: Company) -> None:
    company.describe(SHOP + '[csv]\nencoding = "cp1252"\ndelimiter = ";"\n')
    company.take("customer.csv", "id;name\nc1;Müller €\n".encode("cp1252"))
    company.load()
    assert company.query("select name from raw_shop.customer") == [("Müller €",)]
