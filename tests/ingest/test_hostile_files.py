"""Files as the world sends them, each with the verdict it must get: refused with a sentence, or read without a loss."""

import gzip

from tests.ingest.conftest import SHOP, Company

OK = "id,name\nc1,Ada\nc2,Bob\n"
BOMB = b'{"object":"customer","id":' + b"[" * 5000 + b"]" * 5000 + b"}"

#: name, content, rows when loaded or words of the refusal.
FILES: list[tuple[str, str | bytes, int | str]] = [
    ("customer_1.csv", OK, 2),
    ("customer_2.csv", "\ufeff" + OK, 2),
    ("customer_3.csv", OK.replace("\n", "\r\n"), 2),
    ("customer_4.csv", OK.replace("\n", "\r"), 2),
    ("customer_5.csv", OK.rstrip("\n"), 2),
    ("customer_6.csv", "id,name\n", 0),
    ("customer_7.csv", "id,name", 0),
    ("customer_8.csv", "id,name\nc1,Ada\n\nc2,Bob\n\n", 2),
    ("customer_9.csv", 'id,name\nc1,"Ada\nB"\nc2,"x ""y"" z"\n', 2),
    ("customer_10.csv", "ID,Name,Last_Modified_Date,Tax_Id__c\nc1,Ada,2024-01-01,7\n", 1),
    ("customer_11.csv", "id,name\nc1,=1+1\nc2,NULL\nc3,N/A\nc4,１２\n", 4),
    ("customer_12.csv.gz", gzip.compress(OK.encode(), mtime=0), 2),
    ("customer_20.csv", "", "the file is empty"),
    ("customer_21.csv", "id,name\nc1,Ada\nc2\n", "line 3"),
    ("customer_22.csv", "id,name\nc1,Ada,x\n", "another number of fields"),
    ("customer_23.csv", 'id,name\nc1,"Ada\nc2,Bob\nc3,Cy\n', "not closed"),
    ("customer_24.csv", 'id,name\nc1,"Ada" B "x"\n', "closing quote"),
    ("customer_25.csv", b"id,name\nc1,A\x00da\n", "control character"),
    ("customer_26.csv", b"id,name\nc1,A\xe9a\n", "not UTF-8"),
    ("customer_39.csv", b"id,name,unused\nc1,Ada,x\nc2,Bob,\xe9a\n", "not UTF-8 (customer_39.csv, line 3)"),
    ("customer_27.csv", OK.encode("utf-16"), "UTF-16"),
    ("customer_28.csv", "id,name\r\nc1,Ada\nc2,Bob\r\n", "lines end in different ways"),
    ("customer_29.csv", "id,name,Name\nc1,Ada,Bob\n", "two columns have the same name"),
    ("customer_30.csv", "id,nmae\nc1,Ada\n", "renamed to nmae?"),
    ("customer_31.csv", "id,close_date,amount,stage_name\no1,2024-01-01,1,won\n", "name is missing"),
    ("customer_32.csv", "\nid,name\nc1,Ada\n", "first line is empty"),
    ("customer_33.csv", "id,name,\nc1,Ada,\n", "no name"),
    ("customer_34.csv", "id;name\nc1;Ada\n", "is missing"),
    ("customer_35.csv.gz", gzip.compress(OK.encode())[:-9], "damaged"),
    ("customer_36.csv.gz", gzip.compress(b"id,name\n" + b"c1,Ada\n" * 400_000), "beyond the limit"),
    ("customer_37.csv", "id,name\nc1,Ada\nc2,Bo", 2),
    ("customer_38.csv", "<html><body>Not found</body></html>\n", "is missing"),
    ("customer_40.json", '{"object":"customer","id":"c1","name":"Ada"}', 1),
    (
        "customer_41.jsonl",
        '{"object":"customer","id":"c1","name":"Ada"}\r\n\r\n{"object":"customer","id":"c2","name":"B"}',
        2,
    ),
    (
        "customer_42.json",
        '{\n "object": "customer",\n "id": "c1",\n "name": "Ada"\n}\n{\n "object":"customer","id":"c2","name":"B"}',
        2,
    ),
    ("customer_43.json", '{"count":1,"hasMore":false,"items":[{"id":"7","name":"Ada"}],"offset":0}', 1),
    ("customer_44.json", '{"count":0,"hasMore":false,"items":[]}', 0),
    (
        "customer_45.json",
        '{"object":"list","data":[{"object":"customer","id":"c","name":"A"},{"object":"customer","id":"d","name":"B"}]}',
        2,
    ),
    ("customer_46.json", "[]", 0),
    ("customer_50.json", '{"object":"customer","id":"c1","name":"Ada"', "malformed"),
    ("customer_51.jsonl", '{"object":"customer","id":"c1","name":"Ada"}\n{"object":"cust', "malformed"),
    ("customer_52.json", '[{"object":"customer","id":"c1","name":"Ada"}', "malformed"),
    ("customer_53.json", '{"object":"customer","id":"c1","name":"Ada",}', "malformed"),
    ("customer_54.json", '{"object":"customer","id":"c1","name":"Ada","balance":NaN}', "malformed"),
    ("customer_55.json", '{"object":"customer","id":"c1","id":"c2","name":"Ada"}', "twice"),
    ("customer_56.json", "[1,2,3]", "not an object"),
    ("customer_57.json", b'{"object":"customer","id":"c1","name":"\xff"}', "malformed"),
    ("customer_58.json", BOMB, "nested too deeply"),
    ("customer_59.json", '{"object":"customer","id":"c1"}', "name is missing"),
    ("customer_60.json", "hello", "malformed"),
    ("customer_61.parquet", b"PAR1 no", "not sound parquet"),
]


def test_every_hostile_file_gets_its_verdict_and_none_stops_the_others(company: Company) -> None:
    for name, content, _ in FILES:
        assert company.take(name, content).verdict == "landed", name
    files = {f.original_name: f for f in company.load().files}
    wrong = []
    for name, _, expected in FILES:
        file = files[name]
        said: object = file.rows if file.verdict == "loaded" else file.reason
        fits = said == expected if isinstance(expected, int) else isinstance(said, str) and expected in said
        if not fits or (file.verdict == "refused" and not file.fix):
            wrong.append((name, expected, file))
    assert wrong == []
    assert company.query("select count(*) from ledger.loads")[0][0] == len(FILES)


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
