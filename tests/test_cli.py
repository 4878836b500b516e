"""The command line: what it costs, what it says, and how it leaves."""

import fcntl
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.cli.base import Context, money
from finpipe.cli.screen import show
from finpipe.publish import Stamps, publish
from finpipe.settings import PROJECT, Home
from finpipe.warehouse import connect

READING = (
    "build",
    "backfill",
    "doctor",
    "status",
    "query",
    "exceptions",
    "verify",
    "systems",
    "publications",
    "rebuild",
    "land",
    "fetch",
    "run",
)


@pytest.fixture
def at_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("FINPIPE_HOME", str(home.root))
    return home


@pytest.fixture
def published(at_home: Home) -> Home:
    with connect(at_home) as connection:
        connection.execute(
            "create table marts.billings as "
            "select 'b1' as billing_id, 10.50::decimal(18, 4) as net_amount, 'i1' as invoice_id"
        )
        connection.execute(
            "create table marts.exceptions as select 'e1' as exception_id, 'INV-AMOUNT' as code, "
            "'blocking' as severity, 'ar' as owner, 'billing-erp' as leg, 'billing:in_1' as left_key, "
            "'erp:1' as right_key, 'USD' as currency, -3::decimal(18, 4) as amount, 'Apr 2025' as period, "
            "'said' as sentence, 'open' as state, null::varchar as assigned_to, null::timestamp as due_at, "
            "'owner' as escalation, 'cause' as cause union all "
            "select 'e2', 'DQ-RULE', 'material', 'RevOps', 'salesforce/customers', "
            "null, 'crm:1', null, null, null, 'bad', 'waived', null, null, null, 'cause'"
        )
        publish(at_home, connection, Stamps("2025-06-30", 1, "h", "v", 1))
    return at_home


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_help_and_status_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom finpipe.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ('duckdb', 'dagster', 'dlt', 'polars', 'pandera', 'dbt', 'pyarrow', 'sqlglot', 'sqlalchemy')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip().endswith("[]")


def test_reading_a_publication_imports_neither_dagster_nor_pandera(published: Home) -> None:
    code = (
        "import sys\nfrom finpipe.cli import main\n"
        "try: main(['query', 'select 1'])\nexcept SystemExit: pass\n"
        "print([m for m in ('dagster', 'dlt', 'polars', 'pandera', 'dbt') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "FINPIPE_HOME": str(published.root)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip().endswith("[]")


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 5


@pytest.mark.parametrize("name", READING)
def test_every_reading_command_speaks_json(name: str) -> None:
    assert "--json" in run(name, "--help").output


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["query"],
        ["land", "salesforce"],
        ["land", "nobody", "."],
        ["run", "--as-of", "31/12/2025"],
        ["status", "-x"],
    ],
)
def test_wrong_usage_leaves_with_2_in_four_lines(at_home: Home, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "where", "got", "fix"]
    assert "Traceback" not in done.output


def test_a_mistake_leaves_with_1_in_four_lines(at_home: Home) -> None:
    done = run("query", "select 1")
    assert done.exit_code == 1
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "where", "got", "fix"]


def test_a_busy_home_leaves_with_75(at_home: Home) -> None:
    at_home.root.mkdir(parents=True)
    with at_home.lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = run("run")
    assert done.exit_code == 75
    assert "another run is writing" in done.stderr


def test_an_empty_home_says_what_to_type(at_home: Home) -> None:
    done = run("status")
    assert done.exit_code == 0
    assert done.output.splitlines()[-1].endswith("next: finpipe land SYSTEM PATH…")
    assert json.loads(run("status", "--json").stdout)["publication"] is None


def test_amounts_are_text_in_json(published: Home) -> None:
    done = run("query", "select billing_id, net_amount from billings", "--json")
    assert json.loads(done.stdout) == [{"billing_id": "b1", "net_amount": "10.5000"}]


def test_a_query_says_which_publication_answered(published: Home) -> None:
    done = run("query", "from billings")
    assert done.exit_code == 0
    assert "10.50" in done.output
    assert "1 row from publication 1" in done.output.splitlines()[-1]


def test_a_query_cut_at_the_limit_says_so(published: Home) -> None:
    assert "cut at --limit 1" in run("query", "from exceptions", "--limit", "1").output


def test_a_query_cannot_write(published: Home, tmp_path: Path) -> None:
    assert run("query", "drop table billings").exit_code == 1
    assert run("query", f"copy billings to '{tmp_path}/x.csv'").exit_code == 1
    assert not (tmp_path / "x.csv").exists()


def test_exceptions_are_findings_and_can_be_narrowed(published: Home) -> None:
    done = run("exceptions", "--json")
    assert done.exit_code == 3
    said = json.loads(done.stdout)
    assert [e["exception_id"] for e in said["exceptions"]] == ["e1", "e2"]
    assert said["exceptions"][0]["amount"] == "-3.0000"

    def ids(*filters: str) -> list[str]:
        return [e["exception_id"] for e in json.loads(run("exceptions", *filters, "--json").stdout)["exceptions"]]

    assert ids("--code", "inv-amount") == ["e1"]
    assert ids("--owner", "revops") == ["e2"]
    assert ids("--system", "salesforce") == ["e2"]
    assert ids("--severity", "timing") == []
    assert ids("--state", "open") == ["e1"]
    assert run("exceptions", "list", "--code", "INV-AMOUNT").exit_code == 3
    assert run("exceptions", "list", "--state", "waived").exit_code == 0  # seen and accepted: no finding
    assert run("exceptions", "--severity", "timing").exit_code == 0


def test_rolling_back_names_what_is_in_force(published: Home) -> None:
    with connect(published) as connection:
        publish(published, connection, Stamps("2025-07-31", 2, "h", "v", 2))
    assert run("roll-back", "1").output.startswith("publication 1 is in force")
    kept = json.loads(run("publications", "--json").stdout)
    assert [(p["publication"], p["in force"]) for p in kept] == [(1, True), (2, False)]
    assert run("roll-back", "7").exit_code == 1


def test_landing_twice_changes_nothing(at_home: Home) -> None:
    sample = str(PROJECT / "sources" / "bank" / "sample")
    first = json.loads(run("land", "bank", sample, "--json").stdout)
    again = json.loads(run("land", "bank", sample, "--json").stdout)
    assert first["landed"] == len(first["files"]) == again["already there"]


def test_a_refused_file_is_a_finding(at_home: Home, tmp_path: Path) -> None:
    (tmp_path / "wallpapers.csv").write_text("a,b\n1,2\n")
    done = run("land", "salesforce", str(tmp_path / "wallpapers.csv"))
    assert done.exit_code == 3
    assert "fix:" in done.output
    assert "next:" in done.output.splitlines()[-1]


def test_verify_notices_a_changed_publication(published: Home) -> None:
    assert run("verify").exit_code == 0
    file = published.published / "1" / "parquet" / "billings.parquet"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x")
    done = run("verify")
    assert done.exit_code == 1
    assert "billings.parquet was changed after it was published" in done.output


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00"),
        ("1234567.8900", "1,234,567.89"),
        ("-0.0001", "-0.0001"),
        ("1E+3", "1,000.00"),
        ("12.345", "12.345"),
    ],
)
def test_money_shows_every_decimal_that_is_not_zero(value: str, text: str) -> None:
    assert money(Decimal(value)) == text


def test_no_command_and_an_empty_query_are_told_in_four_lines(published: Home) -> None:
    nothing = run()
    assert nothing.exit_code == 2
    assert nothing.stderr.splitlines()[0] == "error: no command was given"
    for sql in ("", "/* nothing */"):
        answer = run("query", sql)
        assert answer.exit_code == 1
        assert answer.stderr.splitlines()[0] == "error: the query asks nothing"


def test_a_wide_answer_is_not_cut_in_a_log(published: Home) -> None:
    wide = ", ".join(f"'{'x' * 30}{i}' as column_number_{i}" for i in range(12))
    assert f"{'x' * 30}11" in run("query", f"select {wide}").stdout


def test_remarks_of_the_reader_are_shown(published: Home, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {name: [] for name in ("systems", "refused_files", "quarters", "reconciliations")}
    publication = {"publication": 1, "as_of": "2025-06-30", "digest": "d"}
    notes = [{"system": "crm", "file": "a.csv", "note": "the last line has no line end"}]
    show(Context(), {**figures, "notes": notes, "publication": publication})
    assert "the last line has no line end" in capsys.readouterr().out
