"""As known: which loads a number, a date or a moment means, and what is refused."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from finpipe.errors import FinpipeError
from finpipe.ingest.known import Known, known
from finpipe.ingest.landing import Manifest
from finpipe.settings import Home
from finpipe.systems import System

NOW = datetime(2025, 7, 4, 12, 0, tzinfo=UTC)
SYSTEMS = {"crm": System("crm", None, "crm", "", "", {})}  # type: ignore[arg-type]


def landed(home: Home, *received: str, system: str = "crm") -> Home:
    """Landed files, one at each of these moments, in this order."""
    for at in received:
        order = sum(1 for _ in home.landing.glob("*/*/*/*.json")) + 1
        digest = f"{order:064x}"
        folder = f"{system}/account/2025-07"
        (home.landing / folder).mkdir(parents=True, exist_ok=True)
        facts = (order, system, "account", "a.csv", "", at, 1, digest, f"{folder}/{digest}.csv", "t")
        manifest = Manifest(*facts)
        (home.landing / folder / f"{digest}.json").write_text(json.dumps(asdict(manifest)))
    return home


@pytest.fixture
def three(home: Home) -> Home:
    return landed(home, "2025-07-01T08:00:00+00:00", "2025-07-01T20:00:00+00:00", "2025-07-03T08:00:00+00:00")


@pytest.mark.parametrize(
    ("said", "load"),
    [
        (None, 3),
        ("2", 2),
        ("2025-07-01", 2),  # a date means its end
        ("2025-07-02", 2),
        ("2025-07-04", 3),  # today: what there is by now
        ("2025-07-01T08:00:00", 1),  # without offset: UTC
        ("2025-07-01T21:59:59+02:00", 1),
        ("2025-07-01T22:00:00+02:00", 2),
    ],
)
def test_a_number_a_date_and_a_moment_mean_a_load(three: Home, said: str | None, load: int) -> None:
    assert known(three, SYSTEMS, said, NOW).load_seq == load


def test_the_cut_says_when_its_newest_load_came(three: Home) -> None:
    assert known(three, SYSTEMS, "2", NOW) == Known(2, "2025-07-01T20:00:00+00:00")


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("0", "before the first load nothing was known"),
        ("4", "there is no such load yet"),
        ("2025-06-30", "before the first load nothing was known"),
        ("2025-07-01T07:59:59", "before the first load nothing was known"),
        ("2025-07-05", "what will be known then nobody knows yet"),
        ("2025-07-04T12:00:01+00:00", "what will be known then nobody knows yet"),
        ("yesterday", "that moment cannot be read"),
        ("2025-02-30", "that moment cannot be read"),
        ("-1", "that moment cannot be read"),
        ("", "that moment cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(three: Home, said: str, error: str) -> None:
    with pytest.raises(FinpipeError) as refused:
        known(three, SYSTEMS, said, NOW)
    assert refused.value.error == error
    assert refused.value.fix


def test_a_clock_that_jumped_is_refused_where_it_matters_and_a_number_still_answers(home: Home) -> None:
    landed(home, "2025-07-01T08:00:00+00:00", "2025-07-03T08:00:00+00:00", "2025-07-02T08:00:00+00:00")
    with pytest.raises(FinpipeError) as refused:
        known(home, SYSTEMS, "2025-07-02", NOW)
    assert refused.value.error == "the clock jumped about that moment"
    assert known(home, SYSTEMS, "2025-07-01", NOW).load_seq == 1
    assert known(home, SYSTEMS, "2025-07-03", NOW).load_seq == 3
    assert known(home, SYSTEMS, "2", NOW).load_seq == 2


def test_files_of_systems_that_nobody_describes_are_no_loads(three: Home) -> None:
    landed(three, "2025-07-03T09:00:00+00:00", system="unknown")
    assert known(three, SYSTEMS, None, NOW).load_seq == 3


def test_nothing_landed_is_nothing_known(home: Home) -> None:
    with pytest.raises(FinpipeError) as refused:
        known(home, SYSTEMS)
    assert refused.value.error == "nothing has been landed yet"
