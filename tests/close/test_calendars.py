"""Fiscal calendars: whatever is declared, each date lies in exactly one period, or the declaration is refused."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finpipe.errors import FinpipeError
from finpipe.reference.calendars import MONTHS, WEEKS, Calendar, calendars

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
NAMES = ["january", "march", "june", "september", "december"]


def one(said: dict[str, Any]) -> Calendar:
    (found,) = calendars({"own": said}, "finpipe.toml")
    return found


years = st.integers(1950, 2150).flatmap(lambda first: st.tuples(st.just(first), st.integers(first, first + 12)))
rules = st.tuples(st.sampled_from(["last {} of {}", "nearest {} to the end of {}"]), st.sampled_from(WEEKDAYS))
of_weeks = st.tuples(st.sampled_from(sorted(WEEKS)), years, rules, st.sampled_from(NAMES)).map(
    lambda t: {"kind": t[0], "years": list(t[1]), "year_ends": t[2][0].format(t[2][1], t[3])}
)
of_months = st.tuples(years, st.integers(1, 12)).map(
    lambda t: {"kind": MONTHS, "years": list(t[0]), "first_month": t[1]}
)


@given(of_weeks | of_months)
def test_every_date_lies_in_one_period_one_quarter_and_one_year(said: dict[str, Any]) -> None:
    spans = one(said).spans
    for kind in ("period", "quarter", "year"):
        own = sorted((s.starts_on, s.ends_on) for s in spans if s.kind == kind)
        assert all(starts <= ends for starts, ends in own)
        assert all(after[0] == before[1] + timedelta(days=1) for before, after in pairwise(own))
    edges = {
        (min(s.starts_on for s in spans if s.kind == k), max(s.ends_on for s in spans if s.kind == k))
        for k in ("period", "quarter", "year")
    }
    assert len(edges) == 1
    assert len({(s.kind, s.name) for s in spans}) == len(spans)


@given(of_weeks)
def test_a_year_of_weeks_has_52_or_53_and_ends_on_its_weekday(said: dict[str, Any]) -> None:
    found = one(said)
    for year in (s for s in found.spans if s.kind == "year"):
        assert ((year.ends_on - year.starts_on).days + 1) in (364, 371)
        assert WEEKDAYS[year.ends_on.weekday()] in said["year_ends"]
        periods = [p for p in found.periods if year.starts_on <= p.starts_on <= year.ends_on]
        weeks = [((p.ends_on - p.starts_on).days + 1) // 7 for p in periods]
        assert (*weeks[:-1], weeks[-1]) in (
            WEEKS[said["kind"]],
            (*WEEKS[said["kind"]][:-1], WEEKS[said["kind"]][-1] + 1),
        )


@pytest.mark.parametrize(
    ("year_ends", "year", "ends_on"),
    [  # the National Retail Federation's years end on the Saturday nearest to the end of January
        ("nearest saturday to the end of january", 2023, date(2023, 1, 28)),
        ("nearest saturday to the end of january", 2024, date(2024, 2, 3)),  # 53 weeks
        ("nearest saturday to the end of january", 2025, date(2025, 2, 1)),
        ("last saturday of january", 2024, date(2024, 1, 27)),
        ("last friday of december", 2021, date(2021, 12, 31)),
    ],
)
def test_years_end_where_such_companies_end_them(year_ends: str, year: int, ends_on: date) -> None:
    found = one({"kind": "4-5-4", "years": [year, year], "year_ends": year_ends})
    assert [s.ends_on for s in found.spans if s.kind == "year"] == [ends_on]


def listed(*days: tuple[str, str]) -> dict[str, Any]:
    return {"kind": "listed", "periods": [{"name": f"P{n}", "starts": a, "ends": b} for n, (a, b) in enumerate(days)]}


def test_a_listed_calendar_stands_as_it_is_listed() -> None:
    found = one(listed(("2025-01-01", "2025-02-10"), ("2025-02-11", "2025-02-11")))
    assert [(p.name, p.ends_on) for p in found.periods] == [("P0", date(2025, 2, 10)), ("P1", date(2025, 2, 11))]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (listed(("2025-01-01", "2025-01-31"), ("2025-02-02", "2025-02-28")), "leave a gap"),
        (listed(("2025-01-01", "2025-01-31"), ("2025-01-31", "2025-02-28")), "overlap"),
        (listed(("2025-01-31", "2025-01-01")), "ends before it starts"),
        (listed(("2025-01-01", "2025-02-30")), "cannot be read"),
        ({"kind": "listed"}, "lists its periods"),
        ({"kind": "lunar"}, "no such kind"),
        ({"kind": "4-4-5", "years": [2024, 2025], "year_ends": "some day"}, "how its year ends"),
        ({"kind": "4-4-5", "years": [2025, 2024], "year_ends": "last friday of june"}, "states its years"),
        ({"kind": "months", "years": [2024, 2025], "first_month": 13}, "no such month"),
        ({"kind": "months", "years": [2024, 2025], "weeks": 4}, "unknown key"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, Any], error: str) -> None:
    with pytest.raises(FinpipeError, match=error) as refused:
        one(said)
    assert "[calendars.own]" in refused.value.where
    assert refused.value.fix
