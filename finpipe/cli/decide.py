"""Commands that decide about exceptions: assign, fix, waive, resolve, approve, reopen; and replay.

Belongs here: what may be decided on what is known now, and the decision's words.  Does not belong here: what follows
from it: a decision is landed like any extract, and the models judge it again (another may have landed before it).
"""

from datetime import date, datetime
from typing import Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line, this_person
from finpipe.cli.exceptions import exceptions
from finpipe.cli.queue import STANCES, history_of, meant, rows, waiting
from finpipe.errors import FinpipeError
from finpipe.settings import Home

__all__ = ["exceptions"]

_IDS = click.argument("ids", metavar="ID…", nargs=-1, required=True)
#: The option of every decision that needs one.
with_reason = click.option("--reason", required=True, help="Why, in your words; it is kept with the decision.")


def by_person(function: Any) -> Any:
    """The option that says who decides."""
    said = "Who decides (default: FINPIPE_USER, else the user of this machine)."
    return click.option("--by", "person", default=this_person, help=said)(function)


def stated(person: str, reason: str) -> tuple[str, str]:
    """Who decides and why, without blanks around; raises ``BadParameter`` where one of them says nothing."""
    if not reason.strip() or not person.strip():
        raise click.BadParameter("a decision has a person and a reason")
    return person.strip(), reason.strip()


@exceptions.command()
@_IDS
@click.option("--to", "assignee", required=True, help="Who is to act.")
@click.option("--reason", default="", help="Why, in your words.")
@by_person
@as_json
@click.pass_obj
def assign(context: Context, ids: tuple[str, ...], *, assignee: str, reason: str, person: str, as_json: bool) -> int:
    """Say who is to act on an exception."""
    said = reason or f"{assignee} is to act"
    return _decide(context, "assign", ids, person, said, lambda _: {"assignee": assignee.strip()}, as_json=as_json)


@exceptions.command()
@_IDS
@with_reason
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day on which it counts.")
@by_person
@as_json
@click.pass_obj
def waive(context: Context, ids: tuple[str, ...], *, reason: str, until: datetime, person: str, as_json: bool) -> int:
    """Accept an exception as it is until a date, for a reason.

    It stays visible as waived and no longer blocks. It comes back when the date is over or the amount changes. Above
    the policy's threshold it counts once another person has approved it.
    """

    def payload(found: dict[str, Any]) -> dict[str, Any]:
        if until.date() < found["last_seen_on"]:
            raise _refused(found, "a waiver that is over already waives nothing", until.date(), "--until a later date")
        return {"expires_on": until.date().isoformat(), "amount": _text(found["amount"])}

    return _decide(context, "waive", ids, person, reason, payload, as_json=as_json)


@exceptions.command()
@_IDS
@with_reason
@by_person
@as_json
@click.pass_obj
def resolve(context: Context, ids: tuple[str, ...], *, reason: str, person: str, as_json: bool) -> int:
    """Say what was done about an exception; it closes when the data show that."""
    return _decide(context, "resolve", ids, person, reason, lambda _: {}, as_json=as_json)


@exceptions.command()
@_IDS
@with_reason
@by_person
@as_json
@click.pass_obj
def reopen(context: Context, ids: tuple[str, ...], *, reason: str, person: str, as_json: bool) -> int:
    """Take back what was resolved or waived."""

    def payload(found: dict[str, Any]) -> dict[str, Any]:
        if _stance(context.home, found) is None:
            raise _refused(found, "there is nothing to take back", found["state"], "finpipe exceptions show ID")
        return {}

    return _decide(context, "reopen", ids, person, reason, payload, as_json=as_json)


@exceptions.command()
@_IDS
@with_reason
@by_person
@as_json
@click.pass_obj
def approve(context: Context, ids: tuple[str, ...], *, reason: str, person: str, as_json: bool) -> int:
    """Agree, as another person, with what somebody fixed, resolved or waived."""

    def payload(found: dict[str, Any]) -> dict[str, Any]:
        stance = _stance(context.home, found)
        if stance is None:
            raise _refused(found, "there is nothing to approve", found["state"], "somebody resolves or waives it first")
        if stance["decided_by"].strip().lower() == person.strip().lower():
            fix = "another person approves: --by NAME, or FINPIPE_USER"
            raise _refused(found, "who prepared it cannot approve it", person, fix)
        return {"approves": stance["decision_id"]}

    return _decide(context, "approve", ids, person, reason, payload, as_json=as_json)


@exceptions.command()
@_IDS
@with_reason
@click.option("--set", "cells", multiple=True, required=True, metavar="COLUMN=VALUE", help="What should stand there.")
@click.option("--row", help="Key of the record, where the exception names several or none.")
@by_person
@as_json
@click.pass_obj
def fix(
    context: Context,
    ids: tuple[str, ...],
    *,
    cells: tuple[str, ...],
    row: str | None,
    reason: str,
    person: str,
    as_json: bool,
) -> int:
    """Lay values over the record of an exception, as a canonical entity names its columns.

    Raw data stays as it came. The fix holds while the source says what it says now; once it sends another value, the
    source is believed. COLUMN= empties a cell.
    """
    from finpipe.cli.records import overlay  # noqa: PLC0415

    return _decide(
        context, "fix", ids, person, reason, lambda found: overlay(context.home, found, cells, row), as_json=as_json
    )


@exceptions.command()
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Business date (default: that of the publication).")
@as_json
@click.pass_obj
def replay(context: Context, as_of: datetime | None, *, as_json: bool) -> int:
    """Apply what was decided now: conform, build, publish; and say what became of each decision."""
    from finpipe.cli.work import failed, progress, quiet  # noqa: PLC0415
    from finpipe.publish.read import current, manifest_of  # noqa: PLC0415

    decided = waiting(context.home)
    folder = current(context.home)
    cut = as_of.date() if as_of else date.fromisoformat(manifest_of(folder)["as_of"]) if folder else None
    with quiet(), progress(is_silent=as_json) as told:
        from finpipe.orchestration.run import run_job  # noqa: PLC0415

        ran = run_job(context.home, cut, told)
    if ran.failures or ran.blocking:
        return failed(ran)
    columns = ("decision", "exception", "kind", "by", "verdict", "why", "fix", "exception now")
    became = [_became(context.home, d) for d in decided]
    if as_json:
        emit({"publication": ran.publication, "decisions": [dict(zip(columns, row, strict=True)) for row in became]})
        return Exit.DONE
    grid(context, "What became of what was decided", columns, became)
    closed = len({row[1] for row in became if row[-1] == "closed"})
    state = f"{counted(len(became), 'decision')} judged, {counted(closed, 'exception')} closed by the data"
    last_line(f"{state}; publication {ran.publication}", "finpipe exceptions")
    return Exit.DONE


def _became(home: Home, decision: dict[str, Any]) -> tuple[Any, ...]:
    """A decision, its verdict, its fix, and where its exception stands."""
    from finpipe.warehouse import literal  # noqa: PLC0415

    own, subject = f"decisions:{decision['id']}", decision["subject"]
    event = rows(home, f"select verdict, why from main.exception_history where event_id = {literal(own)}")
    laid = rows(
        home,
        "select string_agg(column_name || ' = ' || coalesce(becomes, 'nothing') || ': ' || verdict || "
        "coalesce(', ' || why, ''), '; ' order by column_name) as said "
        f"from quarantine.fixes where decision_id = {literal(own)}",
    )
    now = rows(
        home,
        "select state || coalesce(', waiver ' || nullif(waiver, 'in force'), '') as state "
        f"from main.exceptions where exception_id = {literal(subject)}",
    )
    verdict = event[0] if event else {"verdict": "refused at the gate", "why": "finpipe exceptions --system decisions"}
    state = now[0]["state"] if now else "closed"
    return (
        *(decision["id"], subject[:8], decision["kind"], decision["decided_by"]),
        *(verdict["verdict"], verdict["why"], laid[0]["said"], state),
    )


def _decide(
    context: Context, kind: str, ids: tuple[str, ...], person: str, reason: str, payload: Any, *, as_json: bool
) -> int:
    """Judge every decision first, then land them as one file."""
    from finpipe import ingest  # noqa: PLC0415

    person, reason = stated(person, reason)
    found = [meant(context.home, one) for one in dict.fromkeys(ids)]
    decisions = [
        ingest.Decision(
            kind=kind,
            subject=f["exception_id"],
            decided_by=person,
            reason=reason,
            as_of_on=f["last_seen_on"],
            payload={"spell": f["spell"], **payload(f)},
        )
        for f in found
    ]
    landed = ingest.decide(context.home, decisions)
    second = kind == "waive" and [f["exception_id"][:8] for f in found if f["needs_second_person"]]
    if as_json:
        emit(
            {
                "decisions": [{"id": d.id, "kind": d.kind, "exception_id": d.subject} for d in decisions],
                "landed": str(landed.order),
                "needs_second_person": second or [],
            }
        )
        return Exit.DONE
    for one in found:
        click.echo(f"{kind} {one['exception_id'][:8]} {one['code']}: {one['sentence']}")
    if second:
        step = f"finpipe exceptions approve {' '.join(second)} --reason …"
        last_line(f"{counted(len(decisions), 'decision')} landed; another person must approve", step)
    else:
        last_line(f"{counted(len(decisions), 'decision')} landed", "finpipe exceptions replay", "finpipe run")
    return Exit.DONE


def _stance(home: Home, found: dict[str, Any]) -> dict[str, Any] | None:
    """The last word on an exception: landed since the publication, or in force in it; None when it was taken back."""
    said = [d for d in waiting(home, found["exception_id"]) if d["kind"] in STANCES]
    known = [
        {"decision_id": h["event_id"], "decided_by": h["decided_by"], "kind": h["event"]}
        for h in history_of(home, found["exception_id"])
        if h["event"] in STANCES and h["verdict"] == "in force"
    ]
    known += [{**d, "decision_id": f"decisions:{d['id']}"} for d in said]
    return known[-1] if known and known[-1]["kind"] != "reopen" else None


def _refused(found: dict[str, Any], error: str, got: object, fix: str) -> FinpipeError:
    return FinpipeError(error, where=f"exception {found['exception_id']}", got=str(got), fix=fix)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
