"""The queue of what needs a person: ``exceptions`` and its subcommands that look.

Belongs here: listing, showing and exporting.  Does not belong here: commands that decide (``decide``).
"""

from pathlib import Path
from typing import Any

import click

from finpipe.cli.base import Commands, Context, Exit, as_json, counted, emit, grid, last_line, records, shown_path

_COLUMNS = (
    *("exception_id", "code", "severity", "state", "owner", "assigned_to", "due_at", "escalation", "leg", "left_key"),
    *("right_key", "currency", "amount", "period", "sentence"),
)
_GROUPS = ("code", "leg", "severity", "owner", "currency", "exception_count", "waived_count", "gross_amount", "cause")
#: Options that narrow the list, and the column each compares.
_FILTERS = {"code": "code", "owner": "owner", "severity": "severity", "state": "state"}
#: More exceptions than this of one cause are one line, unless they are asked for.
FLOOD = 20


def narrowing(function: Any) -> Any:
    """The options that say which exceptions are meant."""
    for option in (
        click.option("--code", help="Only this code, such as INV-AMOUNT."),
        click.option("--owner", help="Only what this team owns."),
        click.option("--severity", type=click.Choice(["blocking", "material", "minor", "timing"])),
        click.option("--state", type=click.Choice(["open", "assigned", "resolved", "approved", "waived"])),
        click.option("--system", help="Only rows that the gate refused of this system, or breaks that name it."),
    ):
        function = option(function)
    return function


def _listing(function: Any) -> Any:
    """The options shared by ``exceptions`` and ``exceptions list``."""
    limit = click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Most rows to show.")
    every = click.option("--all", "is_all", is_flag=True, help=f"Each one, also where more than {FLOOD} share a cause.")
    return narrowing(limit(every(as_json(function))))


@click.group(cls=Commands, invoke_without_command=True)
@_listing
@click.pass_context
def exceptions(context: click.Context, /, **given: Any) -> int:
    """What needs a person: rows the gate refused and breaks that reconciliations found.

    Without a subcommand it lists them. Decisions (assign, fix, waive, resolve, approve, reopen) are landed like
    extracts and applied by the next run, or at once by `finpipe exceptions replay`.
    """
    if context.invoked_subcommand is None:
        return _list(context.obj, **given)
    return Exit.DONE


@exceptions.command("list")
@_listing
@click.pass_obj
def list_them(context: Context, /, **given: Any) -> int:
    """List exceptions, those with most money at risk first; a flood of one cause is one line."""
    return _list(context, **given)


def condition(context: Context, *, system: str | None, **given: str | None) -> str:
    """The filters as SQL."""
    from finpipe.warehouse import literal  # noqa: PLC0415

    where = [f"lower({_FILTERS[name]}) = lower({literal(value)})" for name, value in given.items() if value]
    if system:
        role = (
            f"(select min(role) from (values {_roles(context)}) as known (name, role) where name = {literal(system)})"
        )
        where.append(
            f"(leg like {literal(system + '/%')} or starts_with(left_key, {role} || ':') "
            f"or starts_with(right_key, {role} || ':'))"
        )
    return " and ".join(where) or "true"


def _list(context: Context, *, limit: int, as_json: bool, is_all: bool, **given: str | None) -> int:
    from finpipe.publish.read import query  # noqa: PLC0415

    where = condition(context, **given)
    answer = query(
        context.home,
        f"select {', '.join(_COLUMNS)}, count(*) over (partition by code, leg, cause, currency) as alike, cause "
        f"from main.exceptions where {where} order by abs(coalesce(amount, 0)) desc, exception_id",
    )
    width = len(_COLUMNS)
    each = [row[:width] for row in answer.rows if is_all or as_json or row[width] <= FLOOD]
    waived = sum(row[3] == "waived" for row in answer.rows)
    groups = query(
        context.home,
        "select code, leg, max(severity), max(owner), currency, count(*), count(*) filter (state = 'waived'), "
        f"sum(abs(coalesce(amount, 0))), cause from main.exceptions where {where} "
        "group by code, leg, cause, currency order by 8 desc, 6 desc, 1, 2",
    ).rows
    if as_json:
        said = {"count": len(answer.rows), "waived": waived, "groups": records(_GROUPS, groups)}
        emit({**said, "exceptions": records(_COLUMNS, each[:limit])})
    else:
        grid(context, "By cause", _GROUPS, groups)
        shown = each[:limit]
        grid(context, f"Largest {len(shown)}", ("id", *_COLUMNS[1:]), [(row[0][:8], *row[1:]) for row in shown])
        flooded = len(answer.rows) - len(each)
        more = f", {flooded:,} of them only by cause (--all shows each)" if flooded else ""
        state = f"{counted(len(answer.rows), 'exception')}, {waived:,} waived{more}"
        last_line(state, "finpipe exceptions show ID" if answer.rows else "finpipe status")
    return Exit.FINDINGS if len(answer.rows) > waived else Exit.DONE


def _roles(context: Context) -> str:
    from finpipe.systems import find_systems  # noqa: PLC0415
    from finpipe.warehouse import literal  # noqa: PLC0415

    return ", ".join(f"({literal(s.name)}, {literal(s.role)})" for s in find_systems(context.home).values())


@exceptions.command()
@click.argument("exception_id", metavar="ID")
@as_json
@click.pass_obj
def show(context: Context, exception_id: str, *, as_json: bool) -> int:
    """Show one exception: what is wrong, since when, who decided what. The first letters of its id are enough."""
    from finpipe.cli.queue import history_of, meant, row_of, waiting  # noqa: PLC0415

    found = meant(context.home, exception_id, is_closed_fine=True)
    history = history_of(context.home, found["exception_id"])
    decisions = waiting(context.home, found["exception_id"])
    record = row_of(context.home, found)
    if as_json:
        emit({"exception": found, "history": history, "waiting": decisions, "record": record})
        return Exit.DONE
    grid(context, "", ("", ""), [(name, value) for name, value in found.items() if value is not None])
    if record:
        grid(context, "The record as mapped", ("column", "value"), [(k, v) for k, v in record.items() if v is not None])
    columns = ("as_of_on", "event", "decided_by", "decided_at", "reason", "verdict", "why")
    grid(context, "History", columns, [[row[c] for c in columns] for row in history])
    if decisions:
        named = ("kind", "decided_by", "decided_at", "reason")
        grid(context, "Landed, applied by the next run", named, [[d[c] for c in named] for d in decisions])
    last_line(f"{found['code']} is {found['state']}", _following(found, waits=bool(decisions)))
    return Exit.DONE


def _following(found: dict[str, Any], *, waits: bool) -> str:
    short = str(found["exception_id"])[:8]
    if waits:
        return "finpipe exceptions replay"
    if found["state"] == "closed":
        return "finpipe exceptions"
    if found["waiver"] == "waits for approval" or found["state"] == "resolved":
        return f"finpipe exceptions approve {short} --reason …"
    return f"finpipe exceptions assign {short} --to NAME"


@exceptions.command()
@narrowing
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Workbook to write, .xlsx.")
@click.pass_obj
def export(context: Context, /, *, out: Path, **given: Any) -> int:
    """Write the queue as an Excel workbook: a summary, the exceptions, their causes and their history."""
    from finpipe.publish.workbook import write_workbook  # noqa: PLC0415

    if out.suffix.lower() != ".xlsx":
        raise click.BadParameter(f"a workbook ends in .xlsx, not {out.name!r}")
    rows = write_workbook(context.home, out, condition(context, **given))
    last_line(f"{counted(rows, 'exception')} in {shown_path(out)}", "finpipe exceptions show ID")
    return Exit.DONE
