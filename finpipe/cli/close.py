"""Commands of the close: ``periods``, ``close``, ``reopen``.

Belongs here: asking and printing.  Does not belong here: what must hold (``finpipe.close``) and how it is made safe
(``finpipe.orchestration.close``).
"""

from typing import TYPE_CHECKING, Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line
from finpipe.cli.decide import by_person, stated

if TYPE_CHECKING:
    from finpipe.orchestration.close import Act

_PERIOD = click.argument("period")
_ENTITY = click.option("--entity", help="Only this legal entity (default: every entity that has the period).")


@click.command()
@_ENTITY
@click.option("--all", "is_all", is_flag=True, help="Those not ended yet as well.")
@as_json
@click.pass_obj
def periods(context: Context, *, entity: str | None, is_all: bool, as_json: bool) -> int:
    """Where each period of each entity stands: open, proposed, locked, reopened; and whether its sign-off holds."""
    from finpipe.orchestration.close import list_periods  # noqa: PLC0415
    from finpipe.publish.read import current, manifest_of  # noqa: PLC0415

    found = list_periods(context.home)
    folder = current(context.home)
    until = str(manifest_of(folder)["as_of"]) if folder else ""
    shown = [p for p in found if entity is None or p.is_of(entity)]
    shown = [p for p in shown if is_all or p.starts_on.isoformat() <= until]
    columns = ("entity", "period", "quarter", "from", "to", "state", "sign-off", "moved", "prepared by", "signed by")
    rows = [
        (
            *(p.legal_entity_id, p.period, p.quarter, p.starts_on, p.ends_on),
            p.state + (" (next run)" if p.is_waiting else ""),
            *(p.sign_off, p.moved_count, p.prepared_by, p.signed_by),
        )
        for p in shown
    ]
    if as_json:
        emit([{**vars(p), "subject": p.subject} for p in shown])
        return Exit.DONE
    grid(context, "Periods", columns, rows)
    void = sum(1 for p in shown if p.sign_off == "void")
    locked = sum(1 for p in shown if p.state in ("locked", "ar_locked"))
    state = f"{counted(locked, 'period')} locked, {void} of them void"
    last_line(state, "finpipe close PERIOD", "finpipe query 'from restatements'")
    return Exit.DONE


@click.command()
@_PERIOD
@_ENTITY
@click.option("--approve", "is_approving", is_flag=True, help="Sign what another person proposed, and lock it.")
@click.option(
    "--lock", type=click.Choice(["ar", "all"]), default="all", help="What to lock: receivables, or all (default)."
)
@click.option("--reason", default="", help="A word to go with it.")
@by_person
@as_json
@click.pass_obj
def close(
    context: Context,
    period: str,
    *,
    entity: str | None,
    is_approving: bool,
    lock: str,
    reason: str,
    person: str,
    as_json: bool,
) -> int:
    """Walk the checklist of a period and propose its close; with --approve another person signs and locks it.

    PERIOD is a period's name, a month such as 2025-03, or a quarter such as 2025-Q1. Figures, evidence and the
    publication that was signed are kept for ever.
    """
    from finpipe.orchestration import close as closes  # noqa: PLC0415

    if not person.strip():
        raise click.BadParameter("a close has a person")
    if is_approving:
        act = closes.approve(context.home, period, entity, person, reason or "signed", lock)
    else:
        act = closes.propose(context.home, period, entity, person, reason or "the checklist holds")
    if as_json:
        emit(_facts(act, "signed" if is_approving else "proposed"))
        return Exit.FAILED if act.open else Exit.DONE
    grid(
        context,
        f"Checklist of {period}",
        ("line", "holds", "number", "of"),
        [(line.name, line.holds, line.number, line.said) for line in act.lines],
    )
    for line in act.open:
        click.echo(f"{line.name}:")
        for sentence in line.open:
            click.echo(f"- {sentence}")
    said = counted(len(act.periods), "period")
    if act.open:
        last_line(f"{said} not closed: {counted(len(act.open), 'line')} open", "finpipe exceptions", "finpipe run")
        return Exit.FAILED
    if not is_approving:
        last_line(f"close of {said} proposed", f"another person: finpipe close '{period}' --approve --by NAME")
        return Exit.DONE
    click.echo(f"evidence  {act.evidence}")
    last_line(f"{said} signed and locked ({lock})", "finpipe run", "finpipe verify")
    return Exit.DONE


@click.command()
@_PERIOD
@_ENTITY
@click.option("--reason", required=True, help="Why; it is kept with the decision.")
@by_person
@as_json
@click.pass_obj
def reopen(context: Context, period: str, *, entity: str | None, reason: str, person: str, as_json: bool) -> int:
    """Open a locked period again, or withdraw a proposal; what was signed stays, and restatements compare with it."""
    from finpipe.orchestration import close as closes  # noqa: PLC0415

    person, reason = stated(person, reason)
    act = closes.reopen(context.home, period, entity, person, reason)
    if as_json:
        emit(_facts(act, "reopened"))
        return Exit.DONE
    for one in act.periods:
        click.echo(f"reopen {one.period} of {one.legal_entity_id}, which was {one.state}")
    last_line(f"{counted(len(act.periods), 'period')} reopened", "finpipe run", f"finpipe close '{period}'")
    return Exit.DONE


def _facts(act: "Act", done: str) -> dict[str, Any]:
    return {
        "state": "refused" if act.open else done,
        "close_id": act.close_id if not act.open else None,
        "landed": act.landed,
        "evidence": act.evidence,
        "periods": [
            {"legal_entity_id": p.legal_entity_id, "period": p.period, "ends_on": p.ends_on} for p in act.periods
        ],
        "checklist": [
            {"line": x.name, "holds": x.holds, "number": x.number, "of": x.said, "open": list(x.open)}
            for x in act.lines
        ],
    }
