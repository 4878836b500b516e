"""Deciding at the command line: what is landed, what is refused and why."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.ingest.decide import landed_decisions
from finpipe.settings import Home

from .stub import publish_queue

CLOSED = "the exception is closed: the data no longer show it"


@pytest.fixture
def company(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("FINPIPE_HOME", str(home.root))
    monkeypatch.setenv("FINPIPE_USER", "ann")
    return publish_queue(home)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["exceptions", *arguments])


def refused(*arguments: str) -> str:
    """The sentence that a command is refused with, in four lines and nothing landed."""
    done = run(*arguments)
    assert done.exit_code == 1, done.output
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["error", "where", "got", "fix"]
    return done.stderr.splitlines()[0].removeprefix("error: ")


def landed(home: Home) -> list[dict[str, Any]]:
    return [{**d, "payload": json.loads(d["payload"])} for d in landed_decisions(home)]


def test_the_bare_command_lists(company: Home) -> None:
    bare, named = run("--json"), run("list", "--json")
    assert bare.exit_code == named.exit_code == 3
    assert bare.stdout == named.stdout
    said = json.loads(bare.stdout)
    assert (said["count"], said["waived"], len(said["groups"])) == (3, 0, 3)


def test_a_decision_is_a_landed_file_and_changes_nothing_before_a_run(company: Home) -> None:
    before = run("--json").stdout
    done = run("assign", "e1", "e2bb", "--to", "bo")
    assert done.exit_code == 0
    assert "2 decisions landed" in done.output.splitlines()[-1]
    first, second = landed(company)
    assert [first[k] for k in ("kind", "subject", "decided_by", "as_of_on")] == ["assign", "e1aa", "ann", "2025-06-30"]
    assert first["payload"] == {"assignee": "bo", "spell": 1}
    assert second["subject"] == "e2bb"
    (file,) = (company.landing / "decisions" / "decision").rglob("*.jsonl")
    assert file.stat().st_mode & 0o222 == 0
    assert run("--json").stdout == before


def test_a_waiver_keeps_the_amount_it_was_given_for_and_says_who_must_approve(company: Home) -> None:
    said = json.loads(run("waive", "e1aa", "--reason", "agreed", "--until", "2025-12-31", "--json").stdout)
    assert said["needs_second_person"] == ["e1aa"]
    (waiver,) = landed(company)
    assert waiver["payload"] == {"amount": "-3.0000", "expires_on": "2025-12-31", "spell": 1}
    assert (
        json.loads(run("waive", "e2bb", "--reason", "ok", "--until", "2025-12-31", "--json").stdout)[
            "needs_second_person"
        ]
        == []
    )


def test_approval_is_another_person_s_also_before_the_next_run(company: Home) -> None:
    assert refused("approve", "e1aa", "--reason", "ok") == "there is nothing to approve"
    run("resolve", "e1aa", "--reason", "credit note sent")
    assert refused("approve", "e1aa", "--reason", "ok") == "who prepared it cannot approve it"
    assert refused("approve", "e1aa", "--reason", "ok", "--by", "ANN ") == "who prepared it cannot approve it"
    assert run("approve", "e1aa", "--reason", "ok", "--by", "cleo").exit_code == 0
    done, approval = landed(company)
    assert approval["payload"]["approves"] == f"decisions:{done['id']}"


def test_what_was_resolved_can_be_taken_back_once(company: Home) -> None:
    assert refused("reopen", "e1aa", "--reason", "no") == "there is nothing to take back"
    run("resolve", "e1aa", "--reason", "done")
    assert run("reopen", "e1aa", "--reason", "not done").exit_code == 0
    assert refused("approve", "e1aa", "--reason", "ok", "--by", "cleo") == "there is nothing to approve"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["assign", "nobody", "--to", "bo"], "there is no such exception"),
        (["assign", "", "--to", "bo"], "there is no such exception"),
        (["assign", "e2", "--to", "bo"], "several exceptions begin like that"),
        (["resolve", "c0ff", "--reason", "x"], CLOSED),
        (
            ["waive", "c0", "--reason", "x", "--until", "2025-12-31"],
            CLOSED,
        ),
        (["waive", "e1", "--reason", "x", "--until", "2025-06-29"], "a waiver that is over already waives nothing"),
        (["fix", "e2bb", "--reason", "x", "--set", "nonsense=1"], "opportunities has no such column to fix"),
        (["fix", "e2bb", "--reason", "x", "--set", "opportunity_id=crm:2"], "opportunities has no such column to fix"),
        (["fix", "e2cc", "--reason", "x", "--set", "name=1"], "the refused row has no key: mend it in the source"),
        (["fix", "e1aa", "--reason", "x", "--set", "net_amount=1"], "no record of this key is known"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_lands(company: Home, arguments: list[str], error: str) -> None:
    assert refused(*arguments) == error
    assert landed(company) == []


def test_one_bad_id_among_several_lands_none(company: Home) -> None:
    assert refused("assign", "e1aa", "nobody", "--to", "bo") == "there is no such exception"
    assert landed(company) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["waive", "e1aa", "--reason", "x"],
        ["waive", "e1aa", "--until", "2025-12-31"],
        ["waive", "e1aa", "--reason", " ", "--until", "2025-12-31"],
        ["fix", "e2bb", "--reason", "x", "--set", "amount"],
        ["export", "--out", "queue.csv"],
    ],
)
def test_half_a_decision_is_wrong_usage(company: Home, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
    assert landed(company) == []


def test_a_fix_keeps_what_stood_there(company: Home) -> None:
    assert run("fix", "e2bb", "--reason", "separator", "--set", "amount=1000.00", "--set", "name=").exit_code == 0
    (fix,) = landed(company)
    assert fix["payload"] == {
        "entity": "opportunities",
        "row_key": "crm:1",
        "set": {"amount": "1000.00", "name": None},
        "was": {"amount": "1,000", "name": None},
        "spell": 1,
    }


def test_show_tells_record_history_and_what_waits(company: Home) -> None:
    run("assign", "e2bb", "--to", "bo")
    said = json.loads(run("show", "e2bb", "--json").stdout)
    assert said["record"]["amount"] == "1,000"
    assert [h["event"] for h in said["history"]] == ["seen"]
    assert [(d["kind"], d["decided_by"]) for d in said["waiting"]] == [("assign", "ann")]
    assert "next: finpipe exceptions replay" in run("show", "e2bb").output
    closed = json.loads(run("show", "c0ff", "--json").stdout)["exception"]
    assert (closed["state"], closed["gone_on"]) == ("closed", "2025-06-30")


def test_a_flood_is_one_line_until_it_is_asked_for(company: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finpipe.cli.exceptions.FLOOD", 0)
    done = run("list")
    assert "only by cause" in done.output.splitlines()[-1]
    assert "e1aa" not in done.output
    assert "e1aa" in run("list", "--all").output


def test_export_writes_what_the_filters_say(company: Home, tmp_path: Path) -> None:
    done = run("export", "--out", str(tmp_path / "q.xlsx"), "--code", "dq-rule")
    assert done.exit_code == 0
    assert done.output.startswith("2 exceptions in")
    assert (tmp_path / "q.xlsx").read_bytes()[:2] == b"PK"
