"""Canaries: secrets and personal data are planted, the whole line runs, and nothing that keeps words may repeat them.

Secrets stand nowhere but where they were given. What the gate or a reader refused stands in quarantine and landing, for
people who mend it, and neither in the log, nor in Dagster's event store and metadata, nor in any message.
"""

import contextlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from finpipe import log
from finpipe.cli import main
from finpipe.errors import FinpipeError
from finpipe.orchestration.company import Company
from finpipe.orchestration.conform import conform_assets
from finpipe.orchestration.load import load_assets
from finpipe.settings import Home

PASSWORD, TOKEN = "hunter2-canary-pw", "tok_canary_51H8x"
NAME, EMAIL, IBAN = "Zdenka Canarova", "zdenka.canarova@example.org", "DE89370400440532013000"
PERSONAL = (NAME, "Canarova", EMAIL, "canarova", IBAN, "370400440532")
SECRET = (PASSWORD, TOKEN)

HEADER = "Id,Name,BillingCountryCode,CurrencyIsoCode,IsDeleted,CreatedDate,SystemModstamp"
STAMP = "2024-01-02T08:30:00.000Z"
#: Each row breaks the contract with a cell that somebody put into the wrong column.
REFUSED_ROWS = (
    f"001QM0000000011AAA,{NAME},{IBAN},USD,false,{STAMP},{STAMP}",
    f"001QM0000000012AAA,{NAME},US,{NAME},false,{STAMP},{STAMP}",
    f"001QM0000000013AAA,{NAME},US,USD,false,{EMAIL},{STAMP}",
    f"001QM0000000014AAA,{NAME},'{IBAN}': must be x; name is '{EMAIL},USD,false,{EMAIL}',{STAMP}",
)
MT940 = f":20:STARTUMS\n:25:{IBAN}\n:28C:1/1\n:60F:C240101EUR1,00\n:61:{NAME}\n:86:{EMAIL}\n"
#: Files that no reader takes, by the system they are landed to.
FAILING: dict[str, tuple[str, bytes]] = {
    "torn": ("Account_torn.csv", f"{HEADER}\n001QM0000000021AAA,{NAME},{EMAIL}\n".encode()),
    "encoding": ("Account_latin.csv", f"{HEADER}\n001QM0000000022AAA,{NAME}\xe9,{EMAIL},,,,\n".encode("latin-1")),
    "headerless": ("Account_bare.csv", f"001QM0000000023AAA,{NAME},{EMAIL},{IBAN},x,y,z\n".encode()),
    "repeated": ("Account_twice.csv", f"{NAME},{NAME},{EMAIL}\n1,2,3\n".encode()),
    "nameless": ("Account_blank.csv", f"{NAME},,{EMAIL}\n1,2,3\n".encode()),
    "quote": ("Account_quote.csv", f'{HEADER}\n001QM0000000024AAA,"{NAME},{EMAIL}\n'.encode()),
    "after": ("Account_after.csv", f'{HEADER}\n001QM0000000025AAA,"{NAME}" {EMAIL},US,USD,false,,\n'.encode()),
    "json": ("Account_1.json", f'{{"Id": "1", "Name": "{NAME}", {EMAIL}'.encode()),
    "scalar": ("Account_2.json", f'["{NAME}", "{EMAIL}"]'.encode()),
    "text": ("Account_3.json", f"{NAME} {EMAIL}".encode()),
    "parquet": ("Account_4.parquet", f"PAR1 {NAME} {EMAIL}".encode()),
    "mt940": ("statement.sta", MT940.encode()),
}
EXTRACT = """
import os


def source(settings):
    raise ConnectionError(f"could not connect to {os.environ['SHOP_DSN']} with {os.environ['SHOP_TOKEN']}")
"""


@dataclass
class Story:
    """What was said on the way, and where the company and its instance lie."""

    home: Home
    instance: Path
    said: str = ""
    codes: list[int] = field(default_factory=list)
    run_id: str = ""

    def finpipe(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, ["--log-format", "json", *arguments])
        self.said += done.stdout + done.stderr
        self.codes.append(done.exit_code)
        assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit), done.exception
        return done.stderr

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.said.splitlines() if line.startswith('{"at": ')]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("canary")
    patch = pytest.MonkeyPatch()
    for name, value in {
        "FINPIPE_HOME": str(root / "home"),
        "FINPIPE_SOURCES": str(root / "sources"),
        "DAGSTER_HOME": str(root / "dagster"),
        "SHOP_DSN": f"postgresql://reader:{PASSWORD}@db.example/shop",
        "SHOP_TOKEN": TOKEN,
        "FINPIPE_CHAT_URL": f"https://chat.example/{TOKEN}",
        log.VARIABLE: "",
    }.items():
        patch.setenv(name, value)
    (root / "dagster").mkdir()
    (root / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (root / "sources" / "shop").mkdir(parents=True)
    (root / "sources" / "shop" / "system.toml").write_text(
        'role = "billing"\nprefixes = ["shop"]\n[tables.sale]\nkey = ["id"]\ncolumns = ["id", "total"]\n'
    )
    (root / "sources" / "shop" / "extract.py").write_text(EXTRACT)
    told = Story(Home(root / "home", root / "sources"), root / "dagster")
    folder = root / "files"
    folder.mkdir()
    (folder / "Account.csv").write_text("\n".join([HEADER, *REFUSED_ROWS]) + "\n")
    for name, content in FAILING.values():
        (folder / name).write_bytes(content)
    crm = [str(p) for p in sorted(folder.iterdir()) if p.suffix != ".sta"]
    told.finpipe("land", "salesforce", *crm)
    told.finpipe("land", "bank", str(folder / "statement.sta"))
    told.finpipe("fetch", "shop")
    told.run_id = whole_line(told) if os.environ.get("FINPIPE_PROVE") == "full" else load_and_conform(told)
    told.finpipe("status")
    told.finpipe("doctor")
    yield told
    patch.undo()


def whole_line(told: Story) -> str:
    """``finpipe run`` up to the publication: dear, so on demand (FINPIPE_PROVE=full)."""
    told.finpipe("run", "--as-of", "2025-07-15")
    assert (told.home.published / "current" / "manifest.json").exists()
    return str(next(line["run"] for line in told.lines() if line["event"] == "run.began"))


def load_and_conform(told: Story) -> str:
    """The two steps that meet rows and files, as Dagster runs them."""
    company = Company(told.home, lambda stage, what: told.__setattr__("said", f"{told.said}{stage} {what}\n"))
    assets = [load_assets(company.systems), conform_assets(company.systems)]
    os.environ[log.VARIABLE] = "json"
    with contextlib.redirect_stderr(io.StringIO()) as log_lines, dg.DagsterInstance.get() as instance:
        done = dg.materialize(assets, instance=instance, resources={"company": company})
    told.said += log_lines.getvalue()
    return done.run_id


def found_in(folder: Path, words: Sequence[str]) -> list[str]:
    """Those words that stand in the bytes of any file below a folder."""
    kept = [p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()]
    return [word for word in words if any(word.encode() in content for content in kept)]


def tables_of(story: Story) -> dict[str, str]:
    """Every table of LOAD's file and of the warehouse as text: what is published is part of it."""
    found = {}
    for database, prefix in ((story.home.raw, "raw: "), (story.home.warehouse, "")):
        with duckdb.connect(str(database), read_only=True) as connection:
            listed = connection.execute("select schema_name || '.\"' || table_name || '\"' from duckdb_tables()")
            for (name,) in listed.fetchall():
                found[prefix + name] = str(connection.execute(f"select * from {name}").fetchall())
    return found


def test_the_canaries_were_met(story: Story) -> None:
    """Without this the rest would hold of a line that never saw them."""
    assert story.codes[2] == 1  # the fetch
    tables = tables_of(story)
    assert [word for word in (NAME, EMAIL, IBAN) if word not in tables['quarantine."rows"']] == []
    by_event = Counter(str(line["event"]) for line in story.lines())
    at_the_door = by_event["file.refused"] - tables['ledger."loads"'].count("'refused'")
    assert by_event["file.landed"] + at_the_door == len(FAILING) + 1
    assert by_event["file.loaded"] == 1
    assert found_in(story.instance, ["every_record_passes_the_gate"]) != []


def test_no_message_and_no_log_line_repeats_them(story: Story) -> None:
    assert [word for word in (*PERSONAL, *SECRET) if word in story.said] == []


def test_dagsters_event_store_and_metadata_do_not_keep_them(story: Story) -> None:
    assert found_in(story.instance, [*PERSONAL, *SECRET]) == []


def test_no_secret_is_in_a_table_or_anywhere_else_of_the_home(story: Story) -> None:
    assert found_in(story.home.root, SECRET) == []
    assert [name for name, text in tables_of(story).items() for word in SECRET if word in text] == []


def test_why_a_file_was_refused_does_not_repeat_it(story: Story) -> None:
    said = tables_of(story)['ledger."loads"']
    assert [word for word in PERSONAL if word in said] == []


def test_a_file_can_be_followed_through_the_log_by_digest_sequence_and_correlation_id(story: Story) -> None:
    landed = {line["sequence"]: line for line in story.lines() if line["event"] == "file.landed"}
    loaded = [line for line in story.lines() if "run" in line and line["event"] in ("file.loaded", "file.refused")]
    assert len(landed) == len(loaded)
    for line in loaded:
        same = ("system", "digest", "trace", "bytes")
        assert [line[k] for k in same] == [landed[line["sequence"]][k] for k in same]
    assert {line["run"] for line in loaded} == {story.run_id}
    assert found_in(story.instance, [story.run_id]) == [story.run_id]


def test_a_line_states_known_facts_in_plain_words_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="may not state name"):
        log.note("file.landed", name=NAME)
    with pytest.raises(ValueError, match="no plain word"):
        log.note("file.landed", table=NAME)
    monkeypatch.delenv(log.VARIABLE, raising=False)
    log.note("file.landed", rows=1)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv(log.VARIABLE, "text")
    with log.of_run("r1"):
        log.note("file.landed", rows=1, table=None)
    assert capsys.readouterr().err.endswith(" event=file.landed run=r1 rows=1\n")


def test_a_mistake_never_repeats_an_address_with_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    problem = FinpipeError("no", where="postgresql://u:p@host/db", got=f"{TOKEN}!", fix=os.environ["SHOP_TOKEN"])
    assert (problem.where, problem.got, problem.fix) == ("postgresql://…@host/db", "…!", "…")
