"""A quarter in the life of a small company: closed, posted into, taken in by the next month, reopened, closed again."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from finpipe.cli import main
from finpipe.orchestration.prove import verify_closes
from finpipe.publish import manifest_of
from finpipe.settings import Home
from tests.close.company import CLOSES, DOCUMENTS, QUEUE, asked, bill_late, make, settle

SIGNED = "select period, state, sign_off, moved_count from periods where signed_by = 'bo' order by ends_on"
ROLLED = "from {} where legal_entity_id = 'erp:1' and currency = 'USD' and period = '{}'"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Path]]:
    home, extracts = make(tmp_path_factory.mktemp("quarter"))
    patch = pytest.MonkeyPatch()
    patch.setenv("FINPIPE_HOME", str(home.root))
    patch.setenv("FINPIPE_USER", "ann")
    settle(home)
    yield home, extracts
    patch.undo()


def finpipe(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def done(*arguments: str) -> str:
    result = finpipe(*arguments)
    assert result.exit_code == 0, result.output + result.stderr
    return result.output


def refused(said: str, *arguments: str) -> None:
    result = finpipe(*arguments)
    assert result.exit_code == 1, result.output
    assert said in result.output + result.stderr


def closed(period: str, home: Home, *models: str) -> None:
    done("close", period, "--entity", "1")
    done("close", period, "--entity", "1", "--approve", "--by", "bo")
    settle(home, CLOSES, *models)


def test_a_quarter_is_closed_restated_reopened_and_closed_again(company: tuple[Home, Path], tmp_path: Path) -> None:
    home, extracts = company
    _what_cannot_be_closed(home)
    _closed_by_two(home)
    total = Decimal(bill_late(home, extracts, tmp_path / "late"))
    refused("is landed and not published", "close", "Oct 2024", "--entity", "1")
    settle(home, DOCUMENTS, CLOSES, QUEUE)
    _shown_in_october(home, total)
    _taken_in_by_october(home, total)
    _reopened_and_closed_again(home, total)
    _evidence_is_proof(home)


def _what_cannot_be_closed(home: Home) -> None:
    before = sorted(p for p in home.landing.rglob("*") if p.is_file())
    refused("there is no such period", "close", "2024-Q7")
    refused("there is no such entity", "close", "2024-Q3", "--entity", "9")
    refused("the figures are as of 2024-12-31", "close", "Jan 2025", "--entity", "1")
    refused("nobody has proposed to close it", "close", "2024-Q3", "--entity", "1", "--approve", "--by", "bo")
    refused("the period is open", "reopen", "2024-Q3", "--entity", "1", "--reason", "x")
    assert sorted(p for p in home.landing.rglob("*") if p.is_file()) == before


def _closed_by_two(home: Home) -> None:
    """Proposed by one, signed by another; figures, evidence and publication stay."""
    walked = json.loads(done("close", "2024-Q3", "--entity", "1", "--json"))
    assert [line["holds"] for line in walked["checklist"]] == [True] * 10
    refused("who prepared it cannot sign it", "close", "2024-Q3", "--entity", "1", "--approve", "--by", " Ann ")
    signed = json.loads(done("close", "2024-Q3", "--entity", "1", "--approve", "--by", "bo", "--json"))
    assert len(signed["periods"]) == 3
    refused("the period is closed already", "close", "2024-Q3", "--entity", "1")
    pack = Path(signed["evidence"])
    assert json.loads((pack / "close.json").read_text())["signed_by"] == "bo"
    assert {"sources.csv", "windows.csv", "parameters.json", "versions.json", "row_counts.csv", "control_sums.csv"} <= {
        p.name for p in pack.iterdir()
    }
    assert (home.published / "1.frozen").exists()
    assert verify_closes(home) == []


def _shown_in_october(home: Home, total: Decimal) -> None:
    """What was posted into August stands in October; August and September stand as they were signed."""
    assert asked(home, SIGNED) == [
        ("Jul 2024", "locked", "signed", 0),
        ("Aug 2024", "locked", "void", 6),
        ("Sep 2024", "locked", "void", 1),
    ]
    moved = asked(
        home,
        "select measure, part, document_number, field, as_closed_amount, as_now_amount, cause, changed_by, "
        "changed_at::date::varchar, state, shown_in_period from restatements where measure = 'ar'",
    )
    assert moved == [
        ("ar", "invoice", "LATE-1", "document", 0, total, "posted into the period after the close", "1207",
         "2025-01-05", "open", "Oct 2024")
    ]  # fmt: skip
    assert asked(home, "select prior_period_amount " + ROLLED.format("ar_rollforward", "Oct 2024")) == [(total,)]
    for mart in ("ar_rollforward", "deferred_rollforward"):
        assert asked(home, "select prior_period_amount " + ROLLED.format(mart, "Aug 2024")) == [(0,)]
    red = "select sum(finding_count) from reconciliations where reconciliation_id = 'R17' and status = 'red'"
    assert asked(home, red) == [(7,)]
    refused("earlier sign-offs hold", "close", "Oct 2024", "--entity", "1")
    refused("Sep 2024 is closed on top of it", "reopen", "Aug 2024", "--entity", "1", "--reason", "x")


def _taken_in_by_october(home: Home, total: Decimal) -> None:
    """Once two people accept what moved, the next close takes it in and the difference is gone."""
    found = [row[0] for row in asked(home, "select exception_id from exceptions where origin = 'R17' order by 1")]
    assert len(found) == 7
    done("exceptions", "waive", *found, "--reason", "shown in October", "--until", "2025-12-31")
    done("exceptions", "approve", *found, "--reason", "agreed", "--by", "bo")
    settle(home, QUEUE)
    closed("Oct 2024", home, QUEUE)
    assert asked(home, "select distinct state, shown_in_period from restatements") == [("adjusted", "Oct 2024")]
    assert asked(home, "select count(*) from exceptions where origin = 'R17'") == [(0,)]
    assert asked(home, "select prior_period_amount " + ROLLED.format("ar_rollforward", "Oct 2024")) == [(total,)]
    august = (
        "select sign_off, moved_count, unadjusted_count from periods where period = 'Aug 2024' and signed_by = 'bo'"
    )
    assert asked(home, august) == [("void", 6, 0)]


def _reopened_and_closed_again(home: Home, total: Decimal) -> None:
    refused("Oct 2024 is closed on top of it", "reopen", "2024-Q3", "--entity", "1", "--reason", "restate")
    done("reopen", "Oct 2024", "--entity", "1", "--reason", "restate the quarter")
    done("reopen", "2024-Q3", "--entity", "1", "--reason", "restate the quarter")
    settle(home, CLOSES)
    assert asked(home, "select distinct state from restatements order by 1") == [("reopened",)]
    _closed_in_two_signatures(home)
    assert [row[1:] for row in asked(home, SIGNED)] == [("locked", "signed", 0)] * 3
    restated = asked(home, "select period, amount, state from restatements where measure = 'ar' and state = 'restated'")
    assert restated == [("Aug 2024", total, "restated")]
    assert asked(home, "select prior_period_amount " + ROLLED.format("ar_rollforward", "Oct 2024")) == [(0,)]
    in_force = "select count(*) from closings where is_in_force and measure = 'ar' and currency = 'USD'"
    assert asked(home, in_force) == [(3,)]


def _closed_in_two_signatures(home: Home) -> None:
    """Receivables first, and all of it once that is published."""
    done("close", "2024-Q3", "--entity", "1")
    sign = ("close", "2024-Q3", "--entity", "1", "--approve", "--by", "bo")
    done(*sign, "--lock", "ar")
    refused("is landed and not published", *sign)
    settle(home, CLOSES)
    assert {row[1:3] for row in asked(home, SIGNED)} == {("ar_locked", "signed")}
    refused("the period is closed already", *sign, "--lock", "ar")
    done(*sign)
    settle(home, CLOSES)


def _evidence_is_proof(home: Home) -> None:
    """Everything that was ever signed is there; one changed byte is noticed."""
    assert verify_closes(home) == []
    frozen = sorted(p.stem for p in home.published.glob("*.frozen"))
    assert len(frozen) == 4  # one for each signature
    assert all(manifest_of(home.published / seq) for seq in frozen)
    figures = next(home.closed.glob("*/figures.csv"))
    figures.chmod(0o644)
    figures.write_text(figures.read_text().replace("closing", "opening", 1))
    (problem,) = verify_closes(home)
    assert "figures.csv was changed after it was signed" in problem
