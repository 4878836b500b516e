"""What is known of one exception: in the publication in force, and of decisions that landed since.

Belongs here: finding what an id means, its history and its record.  Does not belong here: printing and deciding.
"""

import json
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.settings import Home

#: Decisions that say what became of an exception; the last one stands and can be approved.
STANCES = ("fix", "waive", "resolve", "reopen")


def meant(home: Home, prefix: str, *, is_closed_fine: bool = False) -> dict[str, Any]:
    """The one exception whose id begins so; raises ``FinpipeError`` when there is none, several, or it is closed."""
    from finpipe.warehouse import literal  # noqa: PLC0415

    like = f"starts_with(exception_id, {literal(prefix.strip().lower())})"
    found = rows(home, f"select * from main.exceptions where {like} order by exception_id limit 6")
    if not found:
        found = _closed(home, like)
        if found and not is_closed_fine:
            raise FinpipeError(
                "the exception is closed: the data no longer show it",
                where=f"exception {found[0]['exception_id']}",
                got=f"left the queue as of {found[0]['gone_on']}",
                fix="nothing is left to decide; if it comes back it is open again",
            )
    if not found or not prefix.strip():
        raise FinpipeError(
            "there is no such exception",
            where=str(home.published / "current"),
            got=prefix,
            fix="finpipe exceptions lists those there are",
        )
    if len(found) > 1:
        raise FinpipeError(
            "several exceptions begin like that",
            where=str(home.published / "current"),
            got=", ".join(row["exception_id"][:12] for row in found),
            fix="write more of the id",
        )
    return found[0]


def _closed(home: Home, like: str) -> list[dict[str, Any]]:
    """Exceptions that were in the queue once, as they were last seen."""
    return rows(
        home,
        "select exception_id, max_by(code, spell) as code, 'closed' as state, max_by(leg, spell) as leg, "
        "max_by(owner, spell) as owner, max_by(currency, spell) as currency, max_by(amount, spell) as amount, "
        "max_by(sentence, spell) as sentence, min(as_of_on) filter (event = 'seen') as first_seen_on, "
        "max(as_of_on) filter (event = 'gone') as gone_on, max(spell) as spell, null as waiver "
        f"from main.exception_history where event in ('seen', 'gone') and {like} group by exception_id limit 6",
    )


def history_of(home: Home, exception_id: str) -> list[dict[str, Any]]:
    """What happened to an exception, oldest first."""
    from finpipe.warehouse import literal  # noqa: PLC0415

    return rows(
        home,
        "select event_id, as_of_on, event, spell, decided_by, decided_at, reason, verdict, why "
        f"from main.exception_history where exception_id = {literal(exception_id)} "
        "order by spell, event = 'gone', decided_at nulls first, event_id",
    )


def row_of(home: Home, found: dict[str, Any]) -> dict[str, Any]:
    """The refused record of an exception of the gate, as it was mapped; nothing for others."""
    from finpipe.warehouse import literal  # noqa: PLC0415

    if found.get("origin") != "gate" or not found.get("right_key"):
        return {}
    system, _, entity = str(found["leg"]).partition("/")
    kept = rows(
        home,
        f'select "row" from quarantine.rows where system = {literal(system)} and entity = {literal(entity)} '
        f"and row_key = {literal(found['right_key'])} order by load_seq desc, row_number desc limit 1",
    )
    record: dict[str, Any] = json.loads(kept[0]["row"]) if kept else {}
    return record


def waiting(home: Home, subject: str | None = None) -> list[dict[str, Any]]:
    """Decisions that landed after the publication in force was made, oldest first."""
    from finpipe.ingest.decide import landed_decisions  # noqa: PLC0415
    from finpipe.publish.read import current, manifest_of  # noqa: PLC0415

    folder = current(home)
    known = manifest_of(folder)["load_seq"] if folder else 0
    found = landed_decisions(home, after=known)
    return [d for d in found if subject is None or d["subject"] == subject]


def rows(home: Home, sql: str) -> list[dict[str, Any]]:
    """Rows of the publication in force, as objects."""
    from finpipe.publish.read import query  # noqa: PLC0415

    answer = query(home, sql)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
