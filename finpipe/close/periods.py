"""Periods of entities: which are meant by a word, and where they stand by all that is known now.

Belongs here: reading ``marts.periods`` and laying over it what was decided since.
Does not belong here: judging figures.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from finpipe.errors import FinpipeError

#: A period in one of these states has been signed.
LOCKED = ("ar_locked", "locked")


@dataclass(frozen=True)
class Period:
    """One period of one entity. ``is_waiting``: decided since the last run, which has not seen it."""

    legal_entity_id: str
    period: str
    quarter: str
    starts_on: date
    ends_on: date
    state: str  # open, proposed, ar_locked, locked, reopened
    sign_off: str  # none, prepared, signed, void
    close_id: str | None
    prepared_by: str | None
    signed_by: str | None
    publication: int | None
    evidence: str | None
    moved_count: int
    unadjusted_count: int
    is_whole: bool
    is_waiting: bool = False

    def is_of(self, entity: str) -> bool:
        """Whether the entity is meant by its key or by its native id."""
        return entity in (self.legal_entity_id, self.legal_entity_id.partition(":")[2])

    @property
    def subject(self) -> str:
        """How decisions name it."""
        return f"{self.legal_entity_id}/{self.ends_on.isoformat()}"


_COLUMNS = [name for name in Period.__dataclass_fields__ if name != "is_waiting"]


def periods(connection: duckdb.DuckDBPyConnection, schema: str, since: Iterable[Mapping[str, Any]]) -> list[Period]:
    """All periods in order, by the last build and by decisions landed ``since``."""
    listed = connection.execute(
        f"select {', '.join(_COLUMNS)} from {schema}.periods order by legal_entity_id, ends_on"
    ).fetchall()
    known = {p.subject: p for p in (Period(*row) for row in listed)}
    for decision in since:
        if before := known.get(str(decision["subject"])):
            known[before.subject] = _after(before, decision)
    return list(known.values())


def _after(period: Period, decision: Mapping[str, Any]) -> Period:
    """Where a period stands once a decision of finpipe's own commands is applied."""

    payload = json.loads(decision["payload"]) if isinstance(decision["payload"], str) else decision["payload"]
    by = str(decision["decided_by"])
    if decision["kind"] == "close_prepare":
        said: dict[str, Any] = {"state": "proposed", "sign_off": "prepared", "prepared_by": by, "signed_by": None}
        said["close_id"] = payload["close_id"]
    elif decision["kind"] == "close_signoff":
        said = {"state": "ar_locked" if payload["lock"] == "ar" else "locked", "sign_off": "signed", "signed_by": by}
        said |= {k: payload[k] for k in ("close_id", "publication", "evidence")}
    elif decision["kind"] == "close_reopen":
        said = {"state": "reopened", "sign_off": "none", "prepared_by": None, "signed_by": None, "close_id": None}
    else:
        return period
    return replace(period, is_waiting=True, **said)


def meant(known: Sequence[Period], word: str, entity: str | None, where: str) -> list[Period]:
    """Periods that a word means: a period's name, its year and month, or a quarter; of one entity or of all.

    Raises ``FinpipeError`` when there is none.
    """
    asked = word.strip().lower()
    of_entity = [p for p in known if entity is None or p.is_of(entity)]
    if not of_entity:
        names = ", ".join(sorted({p.legal_entity_id for p in known})) or "none"
        raise FinpipeError("there is no such entity", where=where, got=str(entity), fix=f"one of: {names}")
    for word_of in (_name, _quarter, _month):
        if found := [p for p in of_entity if word_of(p) == asked]:
            return found
    last = ", ".join(dict.fromkeys(p.period for p in of_entity[-6:]))
    raise FinpipeError(
        "there is no such period", where=where, got=word, fix=f"finpipe periods lists them, such as {last}"
    )


def _name(period: Period) -> str:
    return period.period.lower()


def _quarter(period: Period) -> str:
    return period.quarter.lower()


def _month(period: Period) -> str | None:
    """`2025-03` of a period that is that whole month."""
    is_month = period.starts_on.day == 1 and period.starts_on.month == period.ends_on.month
    return period.starts_on.strftime("%Y-%m") if is_month else None
