"""Decisions come in like any extract: by finpipe's own commands, or as a file of another program."""

import json
from pathlib import Path

import pytest

from finpipe.settings import Home

from .through import Line, table

GOOD = {
    "id": "d1",
    "kind": "assign",
    "subject": "e1",
    "decided_by": " ann ",
    "decided_at": "2025-07-01T09:00:00Z",
    "as_of_on": "2025-06-30",
    "reason": "said",
    "payload": {"assignee": "bo"},
}


@pytest.fixture
def line(home: Home, tmp_path: Path) -> Line:
    return Line(home, tmp_path / "extracts")


def test_a_payload_may_be_an_object_or_its_text(line: Line) -> None:
    as_text = {**GOOD, "id": "d2", "payload": json.dumps(GOOD["payload"])}
    line.give("decisions", {"decisions.jsonl": json.dumps(GOOD) + "\n" + json.dumps(as_text)}).run()
    assert (line.refused, line.quarantined()) == ([], [])
    found = line.rows("select decision_id, decided_by, payload->>'assignee' from canonical.decisions order by 1")
    assert found == [("decisions:d1", "ann", "bo"), ("decisions:d2", "ann", "bo")]


def test_another_program_may_send_csv(line: Line) -> None:
    row = "d1,close_signoff,2025-Q2,kim,2025-07-01T09:00:00Z,2025-06-30,checked"
    line.give("decisions", {"decision.csv": table("id,kind,subject,decided_by,decided_at,as_of_on,reason", row)}).run()
    assert line.rows("select kind, subject, payload from canonical.decisions") == [("close_signoff", "2025-Q2", None)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "forget"}, "kind is 'forget'"),
        ({"decided_by": ""}, "decided_by is missing"),
        ({"reason": None}, "reason is missing"),
        ({"decided_at": "yesterday"}, "decided_at is 'yesterday'"),
    ],
)
def test_what_no_decision_can_be_is_refused_at_the_gate(line: Line, change: dict[str, str], said: str) -> None:
    line.give("decisions", {"decision.jsonl": json.dumps({**GOOD, **change})}).run()
    ((entity, key, reasons),) = line.quarantined()
    assert (entity, key) == ("decisions", "decisions:d1")
    assert said in str(reasons)


def test_two_decisions_of_one_id_are_nobody_s(line: Line) -> None:
    other = {**GOOD, "kind": "resolve"}
    line.give("decisions", {"decision.jsonl": json.dumps(GOOD) + "\n" + json.dumps(other)}).run()
    assert line.rows("select count(*) from canonical.decisions") == [(0,)]
    assert "several rows in one file" in str(line.quarantined()[0][2])
