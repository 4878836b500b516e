"""Reviewing and deciding about customers at the command line: what is shown, landed and refused."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.ingest.decide import landed_decisions
from finpipe.publish import Stamps, publish
from finpipe.settings import Home
from finpipe.warehouse import connect
from tests.line import load_and_conform

_MATCHES = """
create or replace table marts.customer_matches as
select l as left_id, r as right_id, verdict, rule, score, reason, ln as left_name, rn as right_name,
    l as left_customer_id, r as right_customer_id, null::varchar as decision_id, null::varchar as decided_by,
    null::timestamptz as decided_at, null::varchar as decision_reason, contradicted as is_contradicted
from (values
    ('crm:1', 'erp:1', 'joined', 'tax id', 100, 'same tax id', 'Acme', 'ACME', false),
    ('crm:2', 'erp:2', 'suggested', 'name alone', 91, 'same country', 'Birch', 'Birch Ltd', false),
    ('crm:3', 'erp:3', 'suggested', 'tie', 97, 'same domain', 'Cobalt', 'Cobalt', false),
    ('crm:4', 'erp:4', 'parted', 'decision', 0, 'still one customer, through billing:4', 'Delta', 'Delta', true)
) as q (l, r, verdict, rule, score, reason, ln, rn, contradicted)"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication with four pairs, made without a run."""
    home = Home(tmp_path_factory.mktemp("customers") / "home")
    load_and_conform(home)
    with connect(home) as connection:
        connection.execute(_MATCHES)
        connection.execute(
            "insert into canonical.customers by name select id as customer_id, name, false as is_deleted, "
            "'any' as system, id as source_id, 'customer' as source_table, 1 as load_seq, 1 as row_number, "
            "'h' as row_hash, 'c' as contract_version, timestamptz '2025-01-01 00:00:00+00' as recorded_at "
            "from (values ('crm:2', 'Birch'), ('erp:2', 'Birch Ltd')) as q (id, name)"
        )
        publish(home, connection, Stamps("2025-06-30", 0, "h", "v", 1))
    return home.root


@pytest.fixture
def company(published: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("FINPIPE_HOME", str(home.root))
    monkeypatch.setenv("FINPIPE_USER", "ana")
    shutil.copytree(published, home.root, symlinks=True)
    return home


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["customers", *arguments])


def test_review_shows_what_a_person_may_decide_the_worst_and_likeliest_first(company: Home) -> None:
    done = run("review", "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["total"], said["waiting"]) == (3, 3, [])
    assert [p["left_id"] for p in said["pairs"]] == ["crm:4", "crm:3", "crm:2"]
    assert [p["left_id"] for p in json.loads(run("review", "--all", "--json").stdout)["pairs"]][-1] == "crm:1"
    plain = run("review", "--limit", "1")
    assert plain.output.splitlines()[-1].startswith("3 pairs, 1 shown; next: finpipe customers same A B")


@pytest.mark.parametrize("verdict", ["same", "different"])
def test_a_decision_is_landed_whichever_record_is_named_first(company: Home, verdict: str) -> None:
    done = run(verdict, "erp:2", "crm:2", "--reason", "one web site")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1].startswith("1 decision landed; next: finpipe run")
    (landed,) = landed_decisions(company)
    facts = [landed[k] for k in ("kind", "subject", "decided_by", "reason", "as_of_on")]
    assert facts == ["customer_match", "crm:2 erp:2", "ana", "one web site", "2025-06-30"]
    assert json.loads(landed["payload"]) == {"verdict": verdict}
    assert len(json.loads(run("review", "--json").stdout)["waiting"]) == 1
    assert "1 decision landed since; next: finpipe run" in run("review").output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("same", "crm:2", "erp:404", "--reason", "x"), 1, "there is no such customer record"),
        (("same", "crm:2", "crm:2", "--reason", "x"), 2, "a decision is about two records, not one"),
        (("same", "crm:2", "erp:2", "--reason", " "), 2, "a decision has a person and a reason"),
        (("different", "crm:2", "erp:2"), 2, "Missing option '--reason'"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_is_landed(
    company: Home, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*arguments)
    assert done.exit_code == code
    assert said in done.stderr
    assert landed_decisions(company) == []
