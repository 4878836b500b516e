"""A close from its proposal to its lock, and back: the stages put together, without Dagster.

Belongs here: the order in which figures, evidence, publication and signature are made safe, and what is refused.
Does not belong here: the checklist, the figures and the pack (``finpipe.close``), and what is printed (``cli``).

The signature is the last thing that lands: a stop before it leaves the period as it was.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from finpipe import close as closing
from finpipe import ingest
from finpipe.build import latest_build
from finpipe.close import Line, Period
from finpipe.close.figures import identified
from finpipe.close.periods import LOCKED
from finpipe.errors import FinpipeError
from finpipe.orchestration.aside import set_aside
from finpipe.orchestration.clock import today
from finpipe.orchestration.company import writing
from finpipe.policy import policy_of
from finpipe.publish import current, freeze, holding, manifest_of
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from finpipe.warehouse import connect

#: Roles whose systems must have landed before a period is complete.
_ROLES = ("crm", "billing", "erp", "bank")


@dataclass(frozen=True)
class Act:
    """An act of closing or of reopening: its periods, the lines of the checklist, what landed (nothing if refused)."""

    close_id: str
    periods: tuple[Period, ...]
    lines: tuple[Line, ...]
    landed: int | None
    evidence: str | None = None

    @property
    def open(self) -> list[Line]:
        """Lines that do not hold."""
        return [line for line in self.lines if not line.holds]


@dataclass(frozen=True)
class _Desk:
    """What lies on the table: the working database, the publication in force, and where every period stands."""

    home: Home
    connection: duckdb.DuckDBPyConnection
    said: dict[str, Any]
    known: list[Period]

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.said["as_of"])


def list_periods(home: Home) -> list[Period]:
    """Every period by the publication in force, and by what was decided since."""
    with holding(home) as (_, said, connection):
        return closing.periods(connection, "main", _since(home, said["load_seq"]))


def propose(home: Home, word: str, entity: str | None, person: str, reason: str) -> Act:
    """Walk the checklist; if every line holds, land the proposal. Raises for periods that cannot be proposed at all."""
    with _desk(home) as desk:
        asked = closing.meant(desk.known, word, entity, str(home.published / "current"))
        for period in asked:
            if period.state in LOCKED:
                raise _refused(period, "the period is closed already", "finpipe reopen PERIOD --reason …")
        lines = _walk(desk, asked)
        close_id = uuid.uuid4().hex[:12]
        if not all(line.holds for line in lines):
            return Act(close_id, tuple(asked), tuple(lines), None)
        figures = closing.figures_of(desk.connection, asked, closing.MEASURES["all"])
        payloads = {
            p.subject: {
                "close_id": close_id,
                "period": p.period,
                "figures": closing.digests(_of(figures, p)),
                "publication": desk.said["publication"],
                "load_seq": desk.said["load_seq"],
                "checklist": {line.name: line.number for line in lines},
            }
            for p in asked
        }
        landed = _land(desk, "close_prepare", person, reason, [payloads])
        return Act(close_id, tuple(asked), tuple(lines), landed)


def approve(home: Home, word: str, entity: str | None, person: str, reason: str, lock: str) -> Act:
    """Sign what another person proposed: store its figures, write the evidence, keep the publication, and lock.

    Raises ``FinpipeError`` when nothing was proposed, the same person did, or the figures moved since.
    """
    with _desk(home) as desk:
        asked = closing.meant(desk.known, word, entity, str(home.published / "current"))
        proposal = _proposal(home, asked, person, lock)
        lines = _walk(desk, asked)
        close_id = str(asked[0].close_id)
        if not all(line.holds for line in lines):
            return Act(close_id, tuple(asked), tuple(lines), None)
        measures = [m for m in closing.MEASURES[lock] if lock == "ar" or m != "ar" or asked[0].state != "ar_locked"]
        figures = closing.figures_of(desk.connection, asked, measures)
        _unmoved(asked, figures, proposal, measures)
        return _sign(desk, asked, lines, identified(figures, close_id), person, reason, lock)


def reopen(home: Home, word: str, entity: str | None, person: str, reason: str) -> Act:
    """Open a locked period again, or withdraw a proposal; later periods first, for they stand on it."""
    with _desk(home) as desk:
        asked = closing.meant(desk.known, word, entity, str(home.published / "current"))
        together = {p.subject for p in asked}
        for period in asked:
            if period.state not in (*LOCKED, "proposed"):
                raise _refused(period, "the period is open", "finpipe periods")
            for later in desk.known:
                is_later = later.legal_entity_id == period.legal_entity_id and later.ends_on > period.ends_on
                if is_later and later.state in LOCKED and later.subject not in together:
                    fix = f"finpipe reopen '{later.period}' first"
                    raise _refused(period, f"{later.period} is closed on top of it", fix)
        payloads = {p.subject: {"close_id": p.close_id, "period": p.period} for p in asked}
        landed = _land(desk, "close_reopen", person, reason, [payloads])
        return Act(str(asked[0].close_id), tuple(asked), (), landed)


@contextmanager
def _desk(home: Home) -> Iterator[_Desk]:
    """Hold the write lock, so that nothing moves while somebody looks at it."""
    said = manifest_of(_current(home))
    if not home.warehouse.exists():
        raise FinpipeError(
            "the working database is not there", where=str(home.warehouse), got="no file", fix="finpipe run"
        )
    today(home)  # decisions are put in order by their time: a clock that jumped would turn it round
    with writing(home, patience=0), connect(home) as connection:
        known = closing.periods(connection, "marts", _since(home, said["load_seq"]))
        yield _Desk(home, connection, said, known)


def _current(home: Home) -> Any:
    folder = current(home)
    if folder is None:
        raise FinpipeError(
            "nothing is published yet", where=str(home.published), got="no current publication", fix="finpipe run"
        )
    return folder


def _since(home: Home, load_seq: int) -> list[dict[str, Any]]:
    return [d for d in ingest.landed_decisions(home, after=load_seq) if str(d.get("kind")).startswith("close_")]


def _walk(desk: _Desk, asked: Sequence[Period]) -> list[Line]:
    systems, aside = find_systems(desk.home), set_aside(desk.home)
    landed = {s for (s,) in desk.connection.execute("select distinct system from ledger.loads").fetchall()}
    silent = {s.replaces for s in systems.values()}
    silence = {name: _silence(s) for name, s in systems.items() if s.role in _ROLES and name in landed - silent}
    told = {name: f"{problem.error}: {problem.got}" for name, problem in aside.items()}
    whole = _published(desk, asked)
    return closing.checklist(desk.connection, asked, desk.known, policy_of(desk.home), silence, told, whole)


def _silence(system: System) -> int | None:
    """Days that a system may be silent: between two deliveries, late, and a weekend. Nobody must sell every day."""
    due = system.settings.get("due", {})
    hours = int(due.get("cadence_hours", 24)) + int(due.get("lateness_hours", 12))
    return None if system.role == "crm" else hours // 24 + 3


def _published(desk: _Desk, asked: Sequence[Period]) -> Line:
    """The publication in force is the current build, of all that is landed, and not of an earlier date."""
    built, said = latest_build(desk.connection), desk.said
    wrong = [f"{name} is landed and not published" for name in ingest.unseen(desk.home, said["load_seq"])]
    if desk.home.inbox.is_dir():
        files = [p for p in sorted(desk.home.inbox.rglob("*")) if p.is_file() and not p.name.startswith(".")]
        wrong += [f"{p.relative_to(desk.home.inbox)} waits in the inbox" for p in files]
    if built is None or built.verdict != "passed" or built.build != said["build"]:
        now = f"build {built.build} {built.verdict}" if built else "no build"
        wrong.append(f"publication {said['publication']} is of build {said['build']}, the warehouse of {now}")
    wrong += [
        f"{p.period} ends on {p.ends_on}, the figures are as of {desk.as_of}" for p in asked if p.ends_on > desk.as_of
    ]
    name = "the publication is the current build"
    return Line(name, not wrong, len(wrong), f"differences from publication {said['publication']}", tuple(wrong[:5]))


def _proposal(home: Home, asked: Sequence[Period], person: str, lock: str) -> dict[str, Any]:
    """By subject, what the proposal said; refuses what this person cannot sign."""
    for period in asked:
        if period.state == "locked" or (period.state == "ar_locked" and lock == "ar"):
            raise _refused(period, "the period is closed already", "finpipe periods")
        if period.state not in ("proposed", "ar_locked"):
            raise _refused(period, "nobody has proposed to close it", "finpipe close PERIOD, by whoever prepares it")
        if str(period.prepared_by).strip().lower() == person.strip().lower():
            raise _refused(period, "who prepared it cannot sign it", "another person signs: --by NAME, or FINPIPE_USER")
    if len({p.close_id for p in asked}) > 1:
        raise _refused(asked[0], "these periods were proposed apart", "sign each by its name, and --entity")
    said = [d for d in ingest.landed_decisions(home) if d["kind"] == "close_prepare"]
    payloads = {d["subject"]: json.loads(d["payload"]) for d in said}
    return {p.subject: payloads[p.subject] for p in asked}


def _unmoved(
    asked: Sequence[Period], figures: Sequence[dict[str, Any]], proposal: dict[str, Any], measures: Sequence[str]
) -> None:
    for period in asked:
        now, then = closing.digests(_of(figures, period)), proposal[period.subject]["figures"]
        if moved := [m for m in measures if now.get(m) != then.get(m)]:
            raise _refused(
                period,
                f"figures moved since they were prepared: {', '.join(moved)}",
                "prepare it again: finpipe close PERIOD",
            )


def _sign(
    desk: _Desk,
    asked: Sequence[Period],
    lines: Sequence[Line],
    figures: Sequence[dict[str, Any]],
    person: str,
    reason: str,
    lock: str,
) -> Act:
    """Pack, frozen publication, figures, and last the signature."""
    close_id, said = str(asked[0].close_id), desk.said
    own = hashlib.sha256(" ".join(p.subject for p in asked).encode()).hexdigest()[:6]
    facts = {
        "close_id": close_id,
        "locks": lock,
        "periods": [
            {k: getattr(p, k) for k in ("legal_entity_id", "period", "quarter", "starts_on", "ends_on")} for p in asked
        ],
        "prepared_by": asked[0].prepared_by,
        "signed_by": person,
        "signed_at": datetime.now(UTC),
        "reason": reason,
        **{k: said[k] for k in ("publication", "published_at", "digest", "as_of", "load_seq", "load_hash", "build")},
        "code_version": said["code_version"],
        "tables": said["tables"],
    }
    walked = [{"line": x.name, "holds": x.holds, "number": x.number, "of": x.said} for x in lines]
    policy = policy_of(desk.home)
    pack = closing.write_pack(desk.home, desk.connection, f"{close_id}-{lock}-{own}", facts, walked, figures, policy)
    freeze(desk.home, said["publication"], close_id)
    ingest.store(desk.home, figures)
    shared = {"close_id": close_id, "evidence": pack.hash, "pack": pack.folder.name, "publication": said["publication"]}
    shared |= {"digest": said["digest"], "load_seq": said["load_seq"]}
    locks = ["ar", "all"] if lock == "all" and asked[0].state != "ar_locked" else [lock]
    signed = [{p.subject: {**shared, "period": p.period, "lock": one} for p in asked} for one in locks]
    landed = _land(desk, "close_signoff", person, reason, signed)
    return Act(close_id, tuple(asked), tuple(lines), landed, str(pack.folder))


def _land(desk: _Desk, kind: str, person: str, reason: str, steps: Sequence[dict[str, dict[str, Any]]]) -> int:
    """Land decisions as one file; what follows on another step is later by a microsecond."""
    now = datetime.now(UTC)
    decisions = [
        ingest.Decision(
            kind=kind,
            subject=subject,
            decided_by=person.strip(),
            reason=reason.strip(),
            as_of_on=desk.as_of,
            payload=payload,
            decided_at=now + timedelta(microseconds=step),
        )
        for step, payloads in enumerate(steps)
        for subject, payload in payloads.items()
    ]
    return ingest.decide(desk.home, decisions).order


def _of(figures: Sequence[dict[str, Any]], period: Period) -> list[dict[str, Any]]:
    return [
        f for f in figures if (f["legal_entity_id"], f["period_ends_on"]) == (period.legal_entity_id, period.ends_on)
    ]


def _refused(period: Period, error: str, fix: str) -> FinpipeError:
    return FinpipeError(error, where=f"{period.period} of {period.legal_entity_id}", got=period.state, fix=fix)
