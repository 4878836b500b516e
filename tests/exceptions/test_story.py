"""The story of a queue: found, assigned, fixed, replayed, closed by the data; waived by two; again from landing."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.settings import PROJECT, Home

AS_OF = "2025-07-15"  # soon after the samples' last day


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A company that has landed the samples of its systems and decided nothing, and has run once."""
    root = tmp_path_factory.mktemp("story")
    patch = pytest.MonkeyPatch()
    patch.setenv("FINPIPE_HOME", str(root / "home"))
    patch.setenv("FINPIPE_USER", "ann")
    patch.setenv("DAGSTER_HOME", str(root / "dagster"))
    (root / "dagster").mkdir()
    (root / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    for system in ("bank", "netsuite", "salesforce", "stripe"):
        assert finpipe("land", system, str(PROJECT / "sources" / system / "sample")).exit_code == 0
    assert finpipe("run", "--as-of", AS_OF).exit_code == 3
    yield Home(root / "home")
    patch.undo()


def finpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def asked(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.published / "current" / "finance.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def one(home: Home, condition: str) -> str:
    ((found,),) = asked(home, f"select exception_id from exceptions where {condition}")
    return str(found)


def test_from_break_to_closed_and_the_same_again_from_landing(home: Home) -> None:
    refused = one(home, "code = 'DQ-RULE' and leg = 'salesforce/opportunity_lines'")
    short = one(home, "code = 'PAY-SHORT'")
    ((blocking,),) = asked(home, "select count(*) from exceptions where is_blocking")

    assert finpipe("exceptions", "assign", refused, "--to", "bo").exit_code == 0
    fix = ("--set", "total_amount=1234.56", "--reason", "no separators", "--by", "bo")
    assert finpipe("exceptions", "fix", refused, *fix).exit_code == 0
    waiver = ("--reason", "the customer keeps it", "--until", "2025-12-31")
    assert "another person must approve" in finpipe("exceptions", "waive", short, *waiver).output
    assert finpipe("exceptions", "approve", short, "--reason", "mine").exit_code == 1
    assert finpipe("exceptions", "approve", short, "--reason", "agreed", "--by", "cleo").exit_code == 0

    done = finpipe("exceptions", "replay", "--json")
    assert done.exit_code == 0, done.output + done.stderr
    became = {d["kind"]: d for d in json.loads(done.stdout)["decisions"]}
    assert (became["fix"]["fix"], became["fix"]["exception now"]) == ("total_amount = 1234.56: applied", "closed")
    assert (became["waive"]["verdict"], became["waive"]["exception now"]) == ("in force", "waived")

    assert asked(home, f"select event from exception_history where exception_id = '{refused}' order by is_landed, 1")[
        0
    ] == ("gone",)
    assert asked(home, "select count(*) from exceptions where is_blocking") == [(blocking - 1,)]
    assert asked(home, "select sum(blocking_count), sum(waived_count) from reconciliations") == [(blocking - 1, 1)]
    ((mended,),) = asked(
        home, "select total_amount::varchar from canonical.opportunity_lines where source_id = '00kQM0000000068AAA'"
    )
    assert mended == "1234.5600"
    raw = "select total_price from raw_salesforce.opportunity_line_item where id = '00kQM0000000068AAA'"
    with duckdb.connect(str(home.raw), read_only=True) as connection:
        assert connection.execute(raw).fetchall() == [("1,234.56",)]  # the extract says what it said
    assert "the exception is closed" in finpipe("exceptions", "resolve", refused, "--reason", "x").stderr

    said = json.loads(finpipe("rebuild", "--verify", "--json").stdout)
    assert [t["table"] for t in said["tables"] if not t["same"]] == []
    assert {"quarantine.fixes", "canonical.decisions", "canonical.sightings", "main.exception_history"} <= {
        t["table"] for t in said["tables"]
    }
    assert said["digest_published"] == said["digest_rebuilt"]
