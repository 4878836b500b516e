"""Alerts: each cause is told once, escalated when nothing happens, and its end is announced.

Belongs here: which message is owed to which target, and the memory of what was sent.
Does not belong here: how a message travels (``send``) and what is a cause (``judge``).
The memory is written after every message: what was sent stays sent, and a stop in between repeats one message at most.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from finpipe.observe.rules import Rules, Target
from finpipe.observe.send import Message, SendError, send
from finpipe.observe.verdicts import Cause
from finpipe.settings import Home

RAISED, ESCALATED, RECOVERED = "raised", "escalated", "recovered"
#: A memory with more open alerts than this is not kept up: something far larger is wrong.
_MOST_OPEN = 10_000

Sender = Callable[[Target, Message], None]


@dataclass
class Open:
    """One cause that was told: since when, what was said, and which targets know which part of it."""

    since: str
    subject: str
    kind: str
    sentence: str
    owner: str
    severity: str
    raised: list[str] = field(default_factory=list)
    escalated: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)
    ended: str = ""

    @property
    def told(self) -> set[str]:
        """Targets that know of it."""
        return {*self.raised, *self.escalated}

    def back(self) -> "Open":
        """The same cause again before its end had reached everybody: who thinks that it is over is told anew."""
        raised = [n for n in self.raised if n not in self.recovered]
        escalated = [n for n in self.escalated if n not in self.recovered]
        return replace(self, ended="", raised=raised, escalated=escalated, recovered=[])


@dataclass(frozen=True)
class Sent:
    """What one round did: messages that went out, and those that did not and will be tried at the next."""

    messages: tuple[Message, ...] = ()
    failures: tuple[str, ...] = ()


def dispatch(home: Home, rules: Rules, causes: Sequence[Cause], now: datetime, sender: Sender | None = None) -> Sent:
    """Bring everybody up to date. Nobody hears of a cause twice, whatever its figures do meanwhile."""
    with _memory(home) as memory:
        _note(memory, rules, causes, now)
        sent: list[Message] = []
        failures: list[str] = []
        for key, target, message in list(_owed(memory, rules, now)):
            try:
                (sender or send_from(home))(target, message)
            except SendError as problem:
                failures.append(f"{target.name}: {problem}")
                continue
            getattr(memory[key], message.event).append(target.name)
            _write(home, memory)
            sent.append(message)
        for key in [k for k, o in memory.items() if o.ended and o.told & set(rules.targets) <= set(o.recovered)]:
            del memory[key]
        _write(home, memory)
    return Sent(tuple(sent), tuple(failures))


def send_from(home: Home) -> Sender:
    """The sender of a home: its log lies there, every other address in the environment."""
    return lambda target, message: send(target, message, os.environ, home.root / "alerts.log")


def _note(memory: dict[str, Open], rules: Rules, causes: Sequence[Cause], now: datetime) -> None:
    """Remember new causes, those that came back before their end was announced, and those that ended."""
    stamp = now.isoformat(timespec="seconds")
    here = {c.key: c for c in causes[:_MOST_OPEN]}
    for key, cause in here.items():
        severity = rules.severities[cause.kind]
        if key not in memory:
            memory[key] = Open(stamp, cause.subject, cause.kind, cause.sentence, cause.owner, severity)
        elif memory[key].ended:
            memory[key] = memory[key].back()
        memory[key].sentence = cause.sentence
    for key, alert in memory.items():
        if key not in here and not alert.ended:
            alert.ended = stamp


def _owed(memory: dict[str, Open], rules: Rules, now: datetime) -> Iterator[tuple[str, Target, Message]]:
    """Messages that somebody has not had yet, oldest cause first."""
    for key, alert in sorted(memory.items(), key=lambda item: (item[1].since, item[0])):
        if alert.ended:
            owed = [(RECOVERED, n) for n in sorted(alert.told) if n not in alert.recovered]
        else:
            owed = [(RAISED, n) for n in _targets(rules, alert, now, late=False) if n not in alert.raised]
            owed += [(ESCALATED, n) for n in _targets(rules, alert, now, late=True) if n not in alert.escalated]
        for event, name in owed:
            if name in rules.targets:
                yield key, rules.targets[name], _message(event, key, alert)


def _targets(rules: Rules, alert: Open, now: datetime, *, late: bool) -> list[str]:
    """Whom the routes name: at once, or once the business hours of each route are over."""
    found: list[str] = []
    since = datetime.fromisoformat(alert.since)
    for route in rules.routes:
        if not route.is_for(alert.owner, alert.severity):
            continue
        if not late:
            found += route.to
        elif rules.company.hours_between(since, now, rules.opens, rules.hours) >= route.after_hours:
            found += route.escalate_to
    return list(dict.fromkeys(found))


def _message(event: str, key: str, alert: Open) -> Message:
    return Message(event, key, alert.subject, alert.kind, alert.sentence, alert.owner, alert.severity, alert.since)


@contextmanager
def _memory(home: Home) -> Iterator[dict[str, Open]]:
    """What was told, for one process at a time. A memory that cannot be read is set aside: better twice than never."""
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "alerts.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        path = _path(home)
        try:
            said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            memory = {key: Open(**alert) for key, alert in said.items()}
        except (ValueError, TypeError, AttributeError):
            path.replace(path.with_suffix(".damaged.json"))
            memory = {}
        yield memory


def _write(home: Home, memory: dict[str, Open]) -> None:
    path = _path(home)
    draft = path.with_suffix(f".{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump({key: asdict(alert) for key, alert in memory.items()}, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _path(home: Home) -> Path:
    return home.root / "alerts.json"
