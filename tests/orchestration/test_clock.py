"""A clock that jumped dates no figure and no decision: it is refused before anything lands."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from finpipe import ingest
from finpipe.cli import main
from finpipe.errors import FinpipeError
from finpipe.ingest.landing import manifests
from finpipe.orchestration import clock as clock_module
from finpipe.orchestration.clock import today
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems

STATEMENT = PROJECT / "sources" / "bank" / "sample" / "statement_EUR.csv"


def now() -> datetime:
    """This machine's clock when it is asked: a suite runs for long."""
    return datetime.now(UTC)


@pytest.fixture
def landed(home: Home) -> Home:
    ingest.land(home, find_systems(home)["bank"], [STATEMENT])
    return home


def test_an_empty_company_believes_any_clock(home: Home) -> None:
    assert today(home, datetime(1970, 1, 1, tzinfo=UTC)) == date(1970, 1, 1)


@pytest.mark.parametrize("after", [timedelta(minutes=-4), timedelta(), timedelta(days=300)])
def test_clocks_of_two_machines_differ_a_little_and_companies_pause(landed: Home, after: timedelta) -> None:
    instant = now() + after
    assert today(landed, instant) == instant.date()


@pytest.mark.parametrize(
    ("after", "error"),
    [
        (timedelta(hours=-1), "the clock went back"),
        (timedelta(days=-400), "the clock went back"),
        (timedelta(days=400), "the clock is far ahead of all that was landed and published"),
        (timedelta(days=365_000), "the clock is far ahead"),
    ],
)
def test_a_jump_is_refused_with_both_times(landed: Home, after: timedelta, error: str) -> None:
    with pytest.raises(FinpipeError, match=error) as refused:
        today(landed, now() + after)
    assert f"{now():%Y-%m-%d}" in refused.value.got
    assert "--as-of" in refused.value.fix


def test_a_run_by_such_a_clock_does_nothing_at_all(landed: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    instant = now()

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return instant + timedelta(days=4000)

    monkeypatch.setattr(clock_module, "datetime", Jumped)
    monkeypatch.setenv("FINPIPE_HOME", str(landed.root))
    (landed.inbox / "bank").mkdir(parents=True)
    (landed.inbox / "bank" / STATEMENT.name).write_bytes(STATEMENT.read_bytes() + b"\n")
    before = len(manifests(landed))
    done = CliRunner().invoke(main, ["run"])
    assert (done.exit_code, "far ahead" in done.stderr, "--as-of DATE" in done.stderr) == (1, True, True)
    assert len(manifests(landed)) == before
    assert [p.name for p in (landed.inbox / "bank").iterdir()] == [STATEMENT.name]
    assert not Path(landed.warehouse).exists()
