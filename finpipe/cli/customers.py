"""Commands about customers that no system links: what matching suggests, and what a person says of it.

Belongs here: showing pairs and landing a person's word.  Does not belong here: matching (CONFORM) and what follows.
"""

from datetime import date
from typing import Any

import click

from finpipe.cli.base import Commands, Context, Exit, as_json, counted, emit, grid, last_line
from finpipe.cli.decide import by_person, stated, with_reason
from finpipe.errors import FinpipeError
from finpipe.settings import Home

_COLUMNS = ("left_id", "left_name", "right_id", "right_name", "verdict", "rule", "score", "reason", "decided_by")
_ONE, _OTHER = click.argument("one", metavar="A"), click.argument("other", metavar="B")


@click.group(cls=Commands)
def customers() -> None:
    """Customers that no system links: review what matching suggests, and decide.

    A decision is landed like an extract: the next run applies it, and so does every rebuild.
    """


@customers.command()
@click.option("--all", "is_all", is_flag=True, help="Pairs that were joined or decided as well.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Most pairs to show.")
@as_json
@click.pass_obj
def review(context: Context, /, *, is_all: bool, limit: int, as_json: bool) -> int:
    """Show pairs of records that may be one customer, the likeliest first, with the reason."""
    from finpipe.cli.queue import rows, waiting  # noqa: PLC0415

    where = "true" if is_all else "verdict in ('suggested', 'refused') or is_contradicted"
    found = rows(
        context.home,
        f"select {', '.join(_COLUMNS)}, is_contradicted from main.customer_matches where {where} "
        "order by is_contradicted desc, verdict = 'suggested' desc, score desc, left_id, right_id",
    )
    landed = [d for d in waiting(context.home) if d["kind"] == "customer_match"]
    asks = any(row["verdict"] in ("suggested", "refused") or row["is_contradicted"] for row in found)
    code = Exit.FINDINGS if asks else Exit.DONE
    if as_json:
        emit({"pairs": found[:limit], "total": len(found), "waiting": landed})
        return code
    grid(context, "", _COLUMNS, [[row[c] for c in _COLUMNS] for row in found[:limit]])
    state = f"{counted(len(found), 'pair')}" + (f", {limit} shown" if len(found) > limit else "")
    if landed:
        last_line(f"{state}; {counted(len(landed), 'decision')} landed since", "finpipe run")
    else:
        last_line(state, "finpipe customers same A B --reason …", "finpipe customers different A B --reason …")
    return code


@customers.command()
@_ONE
@_OTHER
@with_reason
@by_person
@as_json
@click.pass_obj
def same(context: Context, /, *, one: str, other: str, reason: str, person: str, as_json: bool) -> int:
    """Say that two records are one customer, whatever the rules say."""
    return _decide(context, "same", (one, other), person, reason, as_json=as_json)


@customers.command()
@_ONE
@_OTHER
@with_reason
@by_person
@as_json
@click.pass_obj
def different(context: Context, /, *, one: str, other: str, reason: str, person: str, as_json: bool) -> int:
    """Say that two records are two customers, even where a system links them."""
    return _decide(context, "different", (one, other), person, reason, as_json=as_json)


def _decide(context: Context, verdict: str, pair: tuple[str, str], person: str, reason: str, *, as_json: bool) -> int:
    from finpipe import ingest  # noqa: PLC0415

    person, reason = stated(person, reason)
    left, right = (_meant(context.home, name) for name in sorted(key.strip() for key in pair))
    if left["customer_id"] == right["customer_id"]:
        raise click.BadParameter("a decision is about two records, not one")
    decision = ingest.Decision(
        kind="customer_match",
        subject=f"{left['customer_id']} {right['customer_id']}",
        decided_by=person,
        reason=reason,
        as_of_on=_as_of(context.home),
        payload={"verdict": verdict},
    )
    landed = ingest.decide(context.home, [decision])
    if as_json:
        emit({"decision": decision.id, "subject": decision.subject, "verdict": verdict, "landed": str(landed.order)})
        return Exit.DONE
    click.echo(f"{verdict}: {left['customer_id']} {left['name']} | {right['customer_id']} {right['name']}")
    last_line("1 decision landed", "finpipe run", "finpipe customers review --all")
    return Exit.DONE


def _meant(home: Home, key: str) -> dict[str, Any]:
    """A customer record of the publication in force; raises ``FinpipeError`` when there is none of this key."""
    from finpipe.cli.queue import rows  # noqa: PLC0415
    from finpipe.warehouse import literal  # noqa: PLC0415

    found = rows(
        home,
        "select customer_id, name from canonical.customers "
        f"where customer_id = {literal(key)} and (not is_deleted or merged_into_customer_id is not null)",
    )
    if not found:
        raise FinpipeError(
            "there is no such customer record",
            where=str(home.published / "current"),
            got=key,
            fix="keys are <role>:<id>, as finpipe customers review and the aliases of customers show them",
        )
    return found[0]


def _as_of(home: Home) -> date:
    """Business date of the figures that were looked at."""
    from finpipe.publish.read import holding  # noqa: PLC0415

    with holding(home) as held:
        return date.fromisoformat(held.manifest["as_of"])
