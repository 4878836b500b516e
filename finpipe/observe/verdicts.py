"""What a verdict is: whether something is in time and right, why not, and what was seen.

Belongs here: the words.  Does not belong here: coming to them (``judge``), telling anybody (``alerts``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LATE, MISMATCHED, FINANCIALLY_LATE, CLOCK = "late", "mismatched", "financially late", "clock"
IN_TIME = "in time"
#: Every kind of cause, and what it makes of its subject.
KINDS = {
    "not arrived": LATE,
    "never arrived": LATE,
    "expected file missing": LATE,
    "nothing newer": LATE,
    "day missing": LATE,
    "not published": LATE,
    "waiting to be published": LATE,
    "refused": MISMATCHED,
    "set aside": MISMATCHED,
    "system set aside": MISMATCHED,
    "run failed": MISMATCHED,
    "unusual count": MISMATCHED,
    "control total": MISMATCHED,
    "out of tolerance": MISMATCHED,
    "milestone late": FINANCIALLY_LATE,
    "clock": CLOCK,
}


@dataclass(frozen=True)
class Cause:
    """One reason, and so one alert. ``detail`` tells causes of one kind at one subject apart, and never changes."""

    subject: str
    kind: str
    sentence: str
    owner: str
    detail: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """What it makes of its subject."""
        return KINDS[self.kind]

    @property
    def key(self) -> str:
        """The same cause at another time has the same key."""
        return " / ".join(p for p in (self.subject, self.kind, self.detail) if p)


@dataclass(frozen=True)
class Verdict:
    """A subject (a system, or what is published of it) at one instant, with every cause against it."""

    subject: str
    kind: str
    owner: str
    causes: tuple[Cause, ...] = ()
    due_at: datetime | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The worst of its causes; milestones that are late leave it technically in time, and say so."""
        found = {c.state for c in self.causes}
        return next((s for s in (LATE, MISMATCHED, CLOCK, FINANCIALLY_LATE) if s in found), IN_TIME)
