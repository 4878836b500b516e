"""Files as the world sends them, each with the verdict it must get beside it.

Belongs here: contents and expectations, written down or worked out by Python's own parsers.  Does not belong here:
landing and loading them (``test_inputs``).

A file is either *read*, and then exactly these rows lie in raw, or *refused* with these words.  Whatever is read is
text as it stood; what may become an amount or a day is the gate's, and stands in ``amount`` and ``day``.
"""

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

#: Columns of the table ``customer`` that the expectations name; a row gives the first of them.
COLUMNS = ("id", "name", "balance")
OK = "id,name\nc1,Ada\nc2,Bob\n"
OK_ROWS = (("c1", "Ada"), ("c2", "Bob"))
ADA = '{"object":"customer","id":"c1","name":"Ada"}'
Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Hostile:
    """One file: its name, its bytes, and either the rows it must give or words of its refusal.

    ``at`` is the system it is sent to. ``amount`` (``"refused"`` or an exact decimal) and ``day`` are what the gate
    must make of an invoice's total and date.  ``is_loose``: a value may be written otherwise if it is the same value.
    """

    name: str
    content: bytes
    rows: tuple[Row, ...] | None = None
    refused: str = ""
    at: str = "shop"
    amount: str = ""
    day: str = ""
    is_loose: bool = False


class Cases:
    """A growing list in which every file has a number of its own, and so a name."""

    def __init__(self) -> None:
        self.all: list[Hostile] = []

    def _add(self, content: str | bytes, suffix: str, at: str, table: str = "customer", **verdict: object) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        name = f"{table}_{len(self.all) + 1}.{suffix}"
        self.all.append(Hostile(name, data, at=at, **verdict))  # type: ignore[arg-type]

    def read(self, content: str | bytes, rows: tuple[Row, ...], suffix: str = "csv", at: str = "shop") -> None:
        """A file that must give exactly these rows."""
        self._add(content, suffix, at, rows=rows, is_loose=suffix.startswith("json"))

    def refused(self, content: str | bytes, words: str, suffix: str = "csv", at: str = "shop") -> None:
        """A file that must be refused, with these words in the reason."""
        self._add(content, suffix, at, refused=words)

    def amount(self, text: str, amount: str, *, suffix: str = "csv") -> None:
        """An invoice whose total is written so: it arrives as it is, and the gate makes this of it."""
        number = f"i{len(self.all) + 1}"
        body = json.dumps(
            {"object": "invoice", "id": number, "total": text, "currency": "USD", "created": "2024-01-02"}
        )
        if suffix == "csv":
            body = _csv([("id", "total", "currency", "created"), (number, text, "USD", "2024-01-02")])
        self._add(body, suffix, "shop", "invoice", rows=((number, text or None),), amount=amount)

    def day(self, text: str, day: str) -> None:
        """An invoice whose date is written so."""
        number = f"i{len(self.all) + 1}"
        body = _csv([("id", "total", "currency", "created"), (number, "1", "USD", text)])
        self._add(body, "csv", "shop", "invoice", rows=((number, "1"),), day=day)


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def own_files() -> list[Hostile]:
    """Every file that needs nothing but this module."""
    cases = Cases()
    for add in (
        _encodings,
        _line_ends_and_quotes,
        _ragged,
        _torn,
        _bombs,
        _texts,
        _numbers,
        _days,
        _json_that_reads,
        _json_that_must_fail,
        _wrong_systems,
    ):
        add(cases)
    return cases.all


def once(files: list[Hostile]) -> list[Hostile]:
    """Equal contents are one file to landing: the first of them."""
    return list({(f.at, f.name[:3], f.name.partition(".")[2], f.content): f for f in reversed(files)}.values())[::-1]


def _encodings(cases: Cases) -> None:
    accented = "id,name\nc1,Müller €\n"
    cases.read(accented, (("c1", "Müller €"),))
    cases.read("\ufeff" + OK, OK_ROWS)
    cases.read(accented.encode("cp1252"), (("c1", "Müller €"),), at="western")
    cases.read("id,name\nc1,日本\n".encode("shift_jis"), (("c1", "日本"),), at="japanese")
    for codec in ("utf-16", "utf-16-le", "utf-16-be"):
        declared = "\ufeff" + accented if codec != "utf-16" else accented
        cases.read(declared.encode(codec), (("c1", "Müller €"),), at="wide")
    cases.refused(accented, "utf-16", at="wide")  # an odd number of bytes, or code points that are none
    for codec in ("cp1252", "latin-1", "iso8859-15"):
        text = accented if codec != "latin-1" else "id,name\nc1,Müller\n"
        cases.refused(text.encode(codec), "not UTF-8")
    for codec, name in (("shift_jis", "日本語"), ("gb2312", "中文"), ("euc_kr", "한국"), ("big5", "中文")):
        cases.refused(f"id,name\nc1,{name}\n".encode(codec), "not UTF-8")
    cases.refused(OK.encode("utf-16"), "UTF-16")
    cases.refused(OK.encode("utf-16-le"), "control character")
    cases.refused(OK.encode("utf-16-be"), "control character")
    cases.refused(OK.encode("utf-32"), "UTF-16")  # its mark begins with that of UTF-16
    broken = (b"\xff", b"\xc3\x28", b"\xc0\xaf", b"\xe2\x28\xa1", b"\xed\xa0\x80", b"\xf0\x28\x8c\xbc",
              b"\xf5\x80\x80\x80",
              b"\xf8\x88\x80\x80\x80", b"\x80", b"\xe2\x82")  # fmt: skip
    for bad in broken:
        cases.refused(b"id,name\nc1,A" + bad + b"a\nc2,Bob\n", "not UTF-8")
        cases.refused(b"id,name,unused\nc1,Ada,x\nc2,Bob,A" + bad + b"\n", "not UTF-8")
    cases.refused(b"id,name\nc1,A\xe2\x82", "ends within a character")


def _line_ends_and_quotes(cases: Cases) -> None:
    for end in ("\r\n", "\r"):
        cases.read(OK.replace("\n", end), OK_ROWS)
    cases.read(OK.rstrip("\n"), OK_ROWS)
    cases.read("id,name\nc1,Ada\n\nc2,Bob\n\n", OK_ROWS)
    cases.read("id,name\n", ())
    cases.read("id,name", ())
    cases.read('id,name\nc1,"Ada\nB"\nc2,"x ""y"" z"\n', (("c1", "Ada\nB"), ("c2", 'x "y" z')))
    cases.read('id,name\r\nc1,"Ada\r\nB"\r\nc2,"a\nb"\r\n', (("c1", "Ada\r\nB"), ("c2", "a\nb")))
    cases.read('id,name\n"c1","a,b"\n"c2",""\n', (("c1", "a,b"), ("c2", None)))
    cases.read('id,name\nc1,""""\nc2,""""""\n', (("c1", '"'), ("c2", '""')))
    cases.read('"id","name"\nc1,Ada\n', (("c1", "Ada"),))
    cases.read("id\tname\nc1\ta,b\n", (("c1", "a,b"),), "tsv")
    cases.read("id;name\nc1;a,b\n", (("c1", "a,b"),), at="semicolon")
    cases.refused("id,name\nc1,Ada\n", "is missing", at="semicolon")
    cases.refused("id;name\nc1;Ada\n", "is missing")
    cases.refused("id|name\nc1|Ada\n", "is missing")
    cases.refused('id,name\nc1,"Ada\nc2,Bob\nc3,Cy\n', "not closed")
    cases.refused('id,name\nc1,Ada\nc2,"Bob\n', "not closed")
    cases.refused('id,name\nc1,"Ada" B "x"\n', "closing quote")
    cases.refused('id,name\nc1,"Ada"x\n', "closing quote")
    cases.refused('id,name\nc1,"Ada\\"x"\nc2,"Bob"\n', "not closed")
    cases.refused("id,name\r\nc1,Ada\nc2,Bob\r\n", "lines end in different ways")
    cases.refused("id,name\nc1,Ada\r\nc2,Bob\r", "lines end in different ways")
    cases.refused("\nid,name\nc1,Ada\n", "first line is empty")
    cases.refused("id,name,\nc1,Ada,\n", "no name")
    cases.refused("id,name, \nc1,Ada,x\n", "no name")
    cases.refused("id,name,Name\nc1,Ada,Bob\n", "two columns have the same name")
    cases.refused("id,name,NAME\nc1,Ada,Bob\n", "two columns have the same name")
    cases.refused("id,nmae\nc1,Ada\n", "renamed to nmae?")
    cases.refused("c1,Ada\nc2,Bob\n", "is missing")
    cases.refused("sep=,\nid,name\nc1,Ada\n", "no name")
    cases.refused("", "the file is empty")
    cases.refused("\n\n\n", "first line is empty")
    cases.refused("<html><body>Not found</body></html>\n", "is missing")
    cases.read("ID,Name,Last_Modified_Date,Tax_Id__c\nc1,Ada,2024-01-01,7\n", (("c1", "Ada"),))


def _ragged(cases: Cases) -> None:
    good = ["c1,Ada,1", "c2,Bob,2", "c3,Cy,3"]
    bad = ("c9", "c9,Dee", "c9,Dee,4,5", "c9,Dee,4,", "c9,Dee,4,5,6,7", ",")
    for at in range(len(good) + 1):
        for line in bad:
            lines = [*good[:at], line, *good[at:]]
            cases.refused("id,name,balance\n" + "\n".join(lines) + "\n", f"line {at + 2}")
    cases.refused("id,name,balance\nc1,Ada,1\nTOTAL\n", "line 3")
    cases.refused("report of May\nid,name,balance\nc1,Ada,1\n", "is missing")


def _torn(cases: Cases) -> None:
    """A file cut at every byte: what is left is refused, or is exactly what its whole lines and its last field say."""
    whole = "id,name,balance\nc1,Ada,10\nc2,Bob,25\n"
    for cut in range(1, len(whole)):
        left = whole[:cut]
        lines = left.split("\n")
        header, body = lines[0].split(","), [line.split(",") for line in lines[1:] if line]
        if "id" not in header or "name" not in header:
            words = (
                "no name" if header[-1] == "" and cut > 2 and "name" not in header and "id" in header else "is missing"
            )
            cases.refused(left, words)
        elif any(len(fields) != len(header) for fields in body) or header[-1] == "":
            cases.refused(left, "no name" if header[-1] == "" else "another number of fields")
        elif "balance" not in header:
            cases.read(left, tuple((f[0], f[1]) for f in body))
        else:
            cases.read(left, tuple(tuple(value or None for value in f) for f in body))
    packed = gzip.compress(OK.encode(), mtime=0)
    cases.read(packed, OK_ROWS, "csv.gz")
    for cut in range(1, len(packed), 4):
        cases.refused(packed[:cut], "damaged", "csv.gz")
    for at in range(10, len(packed), 9):
        flipped = bytearray(packed)
        flipped[at] ^= 0xFF
        cases.refused(bytes(flipped), "damaged", "csv.gz")
    line = ADA + "\n"
    for cut in range(1, len(ADA), 3):
        cases.refused(line[:cut], "malformed", "json")
        cases.refused(line + line[:cut], "malformed", "jsonl")
    cases.refused(b"PAR1 no", "not sound parquet", "parquet")
    cases.refused(b"PAR1" + bytes(40) + b"PAR1", "not sound parquet", "parquet")
    cases.refused(OK.encode(), "damaged", "csv.gz")


def _bombs(cases: Cases) -> None:
    cases.refused(gzip.compress(b"id,name\n" + b"c1,Ada\n" * 400_000), "beyond the limit", "csv.gz")
    cases.refused(gzip.compress(bytes(20_000_000)), "beyond the limit", "csv.gz")
    cases.refused(gzip.compress(gzip.compress(OK.encode(), mtime=0)), "control character", "csv.gz")
    for opening, closing in (("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")):
        for depth in (120, 5_000):
            body = opening * depth + "1" + closing * depth
            cases.refused(ADA[:-1] + f',"balance":{body}}}', "nested too deeply", "json")
    cases.refused("id,name," + ",".join(f"x{n}" for n in range(3_000)) + "\n", "too many columns")
    cases.refused(f"id,name\nc1,{'x' * 3_000_000}\nc2,Bob\n", "too long")
    wide = "x" * 500_000
    cases.read(f"id,name\nc1,{wide}\n", (("c1", wide),))
    cases.read(ADA.replace("Ada", wide), (("c1", wide),), "json")
    members = ",".join(f'"m{n}":{n}' for n in range(5_000))
    cases.read(ADA[:-1] + f",{members}}}", (("c1", "Ada"),), "json")
    cases.read(ADA[:-1] + ',"balance":' + "9" * 3_000 + "}", (("c1", "Ada", "9" * 3_000),), "json")


#: Texts that have broken programs: each must arrive as it is.
NAUGHTY = (
    "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "=HYPERLINK(\"http://x\")", "\t=1+1", " Ada ", "NULL", "null",
    "None", "nil", "NaN", "N/A", "#N/A", "undefined", "true", "FALSE", "\\N", "-", "--", "''", "'; drop table x; --",
    "' or '1'='1", "${jndi:ldap://x}", "{{7*7}}", "{% raw %}", "%s%n%d", "$(rm -rf x)", "`id`", "../../etc/passwd",
    "<script>alert(1)</script>", "&lt;", "\\x41", "\\u0041", "\\", "\\\\n", "a|b||c", "a\x0bb", "a\x0cb", "a\x01b",
    "a\x1eb", "a\x7fb", "a\u0085b", "a\u2028b", "a\u200bb", "a\ufeffb", "\u202eabc", "e\u0301", "é", "ﬁ", "İ", "ẞ",
    "１２", "٣", "Ω≈ç√∫", "👾🙇💁", "👨‍👩‍👦", "🇺🇸", "𝒯𝒽𝑒", "\U0010ffff", "\ufffd", "表ポあA鷗ŒéＢ逍Üßªąñ", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "0x10", "1e5", "1E400", "1_000", "007", "2024-02-30", "1/1/70", "00:00", "Scunthorpe", "con", "a" * 300,
)  # fmt: skip


def _texts(cases: Cases) -> None:
    """Three texts a file, as a field of a CSV and as a member of an object."""
    for first in range(0, len(NAUGHTY), 3):
        some = NAUGHTY[first : first + 3]
        rows = tuple((f"c{n}", text) for n, text in enumerate(some))
        cases.read(_csv([("id", "name"), *rows]), rows)
        objects = ({"object": "customer", "id": i, "name": n} for i, n in rows)
        cases.read("".join(json.dumps(o) + "\n" for o in objects), rows, "jsonl")
    for bad in ("\x00", "\x1f"):
        cases.refused(f"id,name\nc1,A{bad}da\n", "control character")
        cases.refused(ADA.replace("Ada", f"A{bad}da"), "control character", "json")


#: How people and programs write amounts, and what the gate must make of each: an exact decimal, or nothing.
AMOUNTS = {
    "0": "0", "-0": "0", "1": "1", "0001.10": "1.1", ".5": "0.5", "5.": "5", "-.5": "-0.5", "1.5000000": "1.5",
    "99999999999999.9999": "99999999999999.9999", "-99999999999999.9999": "-99999999999999.9999", "0.0001": "0.0001",
    "0.1": "0.1", "0.30000000000000004": "", "100000000000000": "", "0.00001": "", "1.23456": "", "1,234.56": "",
    "1.234,56": "", "1 234,56": "", "1'234.56": "", "1_234": "", "12,5": "", "1,000": "", "$1": "", "1 USD": "",
    "USD 1": "", "€5": "", "(1.00)": "", "1.50-": "", "+1": "", "--1": "", "-": "", ".": "", " 1": "", "1 ": "",
    "1\n": "", "1\t": "", "1\u00a0": "", "\u20091": "", "１２": "", "٣": "", "−1": "", "–1": "", "½": "", "²": "",
    "Ⅳ": "", "一": "", "1e5": "", "1E-7": "", "1e400": "", "0x10": "", "0b1": "", "0o7": "", "NaN": "", "Infinity": "",
    "-inf": "", "NULL": "", "N/A": "", "#REF!": "", "=1+1": "", "1/2": "", "50%": "", "1.2.3": "", "1..2": "",
    "one": "", "true": "", "O.00": "", "l00": "", "1\u200b": "", "1,": "", "": "", "1;2": "", "12/05": "",
}  # fmt: skip


def _numbers(cases: Cases) -> None:
    for number, (text, amount) in enumerate(AMOUNTS.items()):
        cases.amount(text, amount or "refused", suffix="json" if number % 4 == 3 else "csv")


DAYS = {
    "2024-02-29": "2024-02-29", "2024-02-30": "", "2023-02-29": "", "2024-13-01": "", "2024-00-10": "", "2024-1-2": "",
    "24-01-02": "", "20240102": "", "2024/01/02": "2024-01-02?", "02.01.2024": "", "2 Jan 2024": "", "45293": "",
    "１024-01-02": "", "0024-01-02": "", "3024-01-02": "", "2024-01-02 ": "", "yesterday": "",
    "1899-12-31": "", "1900-01-01": "1900-01-01", "2199-12-31": "2199-12-31", "2200-01-01": "",
}  # fmt: skip


def _days(cases: Cases) -> None:
    for text, day in DAYS.items():
        if not day.endswith("?"):
            cases.day(text, day or "refused")


def _json_that_reads(cases: Cases) -> None:
    bob = ADA.replace("c1", "c2").replace("Ada", "Bob")
    both = OK_ROWS
    cases.read(ADA, both[:1], "json")
    cases.read(f"{ADA}\r\n\r\n{bob}", both, "jsonl")
    cases.read("\ufeff" + ADA, both[:1], "json")
    cases.read(f"[{ADA},\n {bob}]", both, "json")
    cases.read(f'{{"object":"list","data":[{ADA},{bob}]}}', both, "json")
    cases.read('{"count":1,"hasMore":false,"items":[{"id":"c1","name":"Ada"}],"offset":0}', both[:1], "json")
    cases.read('{"count":0,"hasMore":false,"items":[]}', (), "json")
    cases.read("[]", (), "json")
    cases.read(json.dumps(json.loads(ADA), indent=1) + "\n" + json.dumps(json.loads(bob), indent=1), both, "json")
    numbers = ("0.1", "1.10", "1e2", "-0.0", "12345678901234567890", "0.30000000000000004", "123456789012345.678901",
               "1E-7", "9007199254740993", "0.1000000000000000055511151231257827",
               "100000000000000000000000.01")  # fmt: skip
    for number in numbers:
        cases.read(ADA[:-1] + f',"balance":{number}}}', (("c1", "Ada", number),), "json")


def _json_that_must_fail(cases: Cases) -> None:
    torn = (
        ADA[:-1],
        "[" + ADA,
        ADA[:-1] + ",}",
        "[" + ADA + ",]",
        ADA + "]",
        ADA + "}",
        ADA[:-1] + ',"a":}',
        "hello",
        ADA + ",",
    )
    for text in torn:
        cases.refused(text, "malformed", "json")
    values = ("NaN", "Infinity", "-Infinity", "01", "+1", ".5", "5.", "0x1", "1e", "1.e1", "--1", "'a'", "True", "None",
              "undefined",
              '"a\nb"', '"\\x41"', '"\\u12"', '"a', "[1,]", "[,1]", "{a:1}", '{"a" 1}', '{"a":1,}', "1 2", "tru",
              "/* */1", "// c\n1", "Inf", "nan", "[-inf]",
              "[1]/**/", "1//")  # fmt: skip
    for value in values:
        cases.refused(ADA[:-1] + f',"balance":{value}}}', "malformed", "json")
    cases.refused(ADA.replace('"name"', '"id":"c2","name"'), "twice", "json")
    for text in ("[1,2,3]", '"Ada"', "1", "null", "true", '[["c1","Ada"]]'):
        cases.refused(text, "", "json")
    cases.refused(b'{"object":"customer","id":"c1","name":"\xff"}', "malformed", "json")
    cases.refused('{"object":"customer","id":"c1"}', "name is missing", "json")
    cases.refused('{"error":{"code":401,"message":"no"}}', "", "json")
    cases.refused("<html></html>", "malformed", "json")
    cases.refused(OK, "malformed", "json")
    cases.refused(ADA, "is missing", "csv")


def _wrong_systems(cases: Cases) -> None:
    crm = "Id,Name,StageName,CloseDate,Amount,IsWon\n006,Deal,Closed Won,2024-01-01,1,true\n"
    journal = "posting,account,debit,credit\n1,4000,10,\n"
    cases.refused("id,close_date,amount,stage_name\no1,2024-01-01,1,won\n", "name is missing")
    for text in (crm.replace("Name,", "Label,"), journal, "a,b\n1,2\n"):
        cases.refused(text, "is missing")
    for system in ("netsuite", "stripe"):
        cases.refused(journal, "", at=system)
    cases.refused(journal, "feeds no table", at="salesforce")
    cases.refused(":20:A\n:25:1\n:28C:1\n:60F:C240101USD1,\n:62F:C240101USD1,\n", "MT940", "sta")
    for suffix in ("xlsx", "zip", "pdf", "exe", "csv.zip", "csv.bz2", "xml"):
        cases.refused(b"PK\x03\x04", "feeds no table", suffix)


# ── public suites ────────────────────────────────────────────────────────────────────────────────────────────────


def public_files(folder: Path) -> list[Hostile]:
    """Files of the public suites in a folder: csv-spectrum, the JSON parsing suite, the big list of naughty strings."""
    return [*_spectrum(folder / "csv_spectrum"), *_parsing(folder / "json_test_suite"), *_strings(folder / "blns.json")]


def _spectrum(folder: Path) -> Iterator[Hostile]:
    """A table of none of our systems, with its own reading beside it: the first two columns stand for id and name."""
    for number, path in enumerate(sorted(folder.glob("csvs/*.csv"))):
        said = json.loads((folder / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
        header = path.read_bytes().split(b"\n", 1)[0].rstrip(b"\r").decode()
        first, second = header.split(",")[:2]
        names = b"id,name" + header[len(f"{first},{second}") :].encode()
        rows = tuple((row[first] or None, row[second] or None) for row in said)
        yield Hostile(f"customer_8{number:04}.csv", names + path.read_bytes()[len(header.encode()) :], rows)


def _parsing(folder: Path) -> Iterator[Hostile]:
    """Each text as the value of a member: what must not parse (``n_``) refuses the file, what must (``y_``) is read."""
    for number, path in enumerate(sorted(folder.rglob("*.json"))):
        data = ADA[:-1].encode() + b',"balance":' + path.read_bytes() + b"}"
        yield Hostile(f"customer_7{number:04}.json", data, *_parsed(data, path.name[0]), is_loose=True)


def _parsed(data: bytes, kind: str) -> tuple[tuple[Row, ...] | None, str]:
    """Rows as Python's own parser gives them, or the words of any refusal; ``i_`` may be either."""
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)["balance"]
    except (ValueError, RecursionError):
        return None, " "
    assert kind != "n", data[:200]
    told = value if isinstance(value, str) else None if value is None else data[len(ADA) + 10 : -1].decode().strip()
    return ((("c1", "Ada", told or None),), "? ") if kind == "i" else ((("c1", "Ada", told or None),), "")


def _no_constant(text: str) -> None:
    raise ValueError(text)


def _strings(path: Path) -> Iterator[Hostile]:
    """Each string in a file of its own, as a quoted field."""
    for number, text in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        words = "control character" if "\x00" in text or "\x1f" in text else ""
        quoted = text.replace('"', '""')
        content = f'id,name\nc1,"{quoted}"\n'.encode("utf-8", "surrogatepass")
        yield Hostile(f"customer_9{number:04}.csv", content, None if words else (("c1", text or None),), words)


def same(said: str | None, expected: str | None, *, is_loose: bool) -> bool:
    """Whether a raw text is what was expected; of JSON values other than texts, whether it is the same value."""
    if said == expected:
        return True
    if not is_loose or said is None or expected is None:
        return False
    try:
        return _exact(json.loads(said, **_EXACT)) == _exact(json.loads(expected, **_EXACT))
    except (ValueError, RecursionError):
        return False


_EXACT: dict[str, Any] = {"parse_float": Decimal, "parse_int": Decimal}


def _exact(value: Any) -> Any:
    """A value with long numbers as numbers: raw keeps as text what a double would not."""
    if isinstance(value, dict):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    is_number = isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", value)
    return Decimal(value) if is_number else value
