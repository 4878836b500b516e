"""The queue of what needs a person: ``exceptions`` and its subcommands."""

from typing import Any

import click

from finpipe.cli.base import Commands, Context, Exit, as_json, counted, emit, grid, last_line, records

_COLUMNS = ("code", "severity", "owner", "leg", "left_key", "right_key", "currency", "amount", "period", "sentence")
#: Options that narrow the list, and the column each compares.
_FILTERS = {"code": "code", "owner": "owner", "severity": "severity"}


def _narrowing(function: Any) -> Any:
    """The options shared by ``exceptions`` and ``exceptions list``."""
    for option in (
        click.option("--code", help="Only this code, such as INV-AMOUNT."),
        click.option("--owner", help="Only what this team owns."),
        click.option("--severity", type=click.Choice(["blocking", "material", "minor", "timing"])),
        click.option("--system", help="Only rows that the gate refused of this system, or breaks that name it."),
        click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Most rows to show."),
        as_json,
    ):
        function = option(function)
    return function


@click.group(cls=Commands, invoke_without_command=True)
@_narrowing
@click.pass_context
def exceptions(context: click.Context, /, **given: Any) -> int:
    """What needs a person: rows the gate refused and breaks that reconciliations found."""
    if context.invoked_subcommand is None:
        return _list(context.obj, **given)
    return Exit.DONE


@exceptions.command("list")
@_narrowing
@click.pass_obj
def list_them(context: Context, /, **given: Any) -> int:
    """List exceptions, those with most money at risk first."""
    return _list(context, **given)


def _list(context: Context, *, limit: int, as_json: bool, system: str | None, **given: str | None) -> int:
    from finpipe.publish.read import query  # noqa: PLC0415
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
    condition = " where " + " and ".join(where) if where else ""
    answer = query(
        context.home,
        f"select exception_id, {', '.join(_COLUMNS)} from main.exceptions{condition} "
        "order by abs(coalesce(amount, 0)) desc, exception_id",
    )
    rows = answer.rows[:limit]
    if as_json:
        emit({"count": len(answer.rows), "exceptions": records(answer.columns, rows)})
    else:
        summary = _summary(answer.rows)
        grid(context, "By code", ("code", "severity", "owner", "exceptions"), summary)
        grid(context, f"Largest {min(limit, len(rows))}", _COLUMNS, [row[1:] for row in rows])
        last_line(
            counted(len(answer.rows), "exception"), "finpipe exceptions --code CODE" if rows else "finpipe status"
        )
    return Exit.FINDINGS if answer.rows else Exit.DONE


def _summary(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    count: dict[tuple[Any, ...], int] = {}
    for row in rows:
        count[row[1:4]] = count.get(row[1:4], 0) + 1
    return [(*key, number) for key, number in sorted(count.items(), key=lambda item: (-item[1], str(item[0])))]


def _roles(context: Context) -> str:
    from finpipe.systems import find_systems  # noqa: PLC0415
    from finpipe.warehouse import literal  # noqa: PLC0415

    return ", ".join(f"({literal(s.name)}, {literal(s.role)})" for s in find_systems(context.home).values())
