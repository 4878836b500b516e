"""A policy of the test's own, and facts by hand: what a verdict follows from is all in sight."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from finpipe.observe import Arrival, Cause, Facts, Judged, Rules, judge, rules_of
from finpipe.observe.published import Published
from finpipe.policy import policy_of
from finpipe.settings import Home
from finpipe.systems import System, find_systems

POLICY = """
[business_hours]
holidays = ["2026-01-01"]
[calendars]
company = { timezone = "Europe/Berlin" }
york = { timezone = "America/New_York", holidays = ["2026-01-19"] }
"""


@dataclass
class Desk:
    """One company: what is known, and what is said of it at an instant."""

    home: Home
    facts: Facts = field(default_factory=lambda: Facts([]))

    @property
    def systems(self) -> dict[str, System]:
        return find_systems(Home(self.home.root))

    @property
    def rules(self) -> Rules:
        return rules_of(policy_of(self.home), self.systems)

    def configure(self, text: str) -> None:
        self.home.root.mkdir(parents=True, exist_ok=True)
        (self.home.root / "finpipe.toml").write_text(text)

    def comes(self, *when: str, system: str = "bank", name: str = "statement.csv", is_published: bool = True) -> None:
        new = [Arrival(system, "statement_line", name, at(w), is_published) for w in when]
        self.facts = replace(self.facts, arrivals=[*self.facts.arrivals, *new])

    def publishes(self, **facts: object) -> None:
        given: dict[str, object] = {"number": 1, "as_of": date(2026, 1, 9), "published_at": at("2026-01-01 06:00")}
        given["tables"] = frozenset({"trial_balance"})
        days: dict[str, dict[str, list[date]]] = facts.get("days", {})  # type: ignore[assignment]
        given["newest"] = {name: max(d for each in said.values() for d in each) for name, said in days.items()}
        self.facts = replace(self.facts, published=Published(**{**given, **facts}))  # type: ignore[arg-type]

    def judged(self, when: str) -> Judged:
        return judge(self.rules, self.systems, self.facts, at(when))

    def causes(self, when: str, subject: str = "bank") -> list[Cause]:
        return [c for c in self.judged(when).causes if c.subject == subject]

    def kinds(self, when: str, subject: str = "bank") -> list[str]:
        return [c.kind for c in self.causes(when, subject)]

    def states(self, when: str) -> dict[str, str]:
        return {v.subject: v.state for v in self.judged(when).verdicts}


def at(text: str) -> datetime:
    """UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekdays(first: date, last: date) -> list[date]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [d for d in days if d.isoweekday() <= 5]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "policies.toml").write_text(POLICY)
    return Desk(home)


@pytest.fixture
def say(desk: Desk) -> Callable[[str], None]:
    """More words of the company's policy."""

    def more(text: str) -> None:
        path = desk.home.root / "policies.toml"
        path.write_text(path.read_text() + text)

    return more
