"""The command ``trace``: one record's whole chain, on one screen.

Belongs here: choosing columns and order.  Does not belong here: finding or joining anything.
"""

from typing import TYPE_CHECKING, Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line

if TYPE_CHECKING:
    from finpipe.publish.trace import Trace

#: Records of a chain that are shown; `--json` has all that were followed.
_MOST_SHOWN = 100
_RECORD = ("station", "record", "number", "kind", "status", "on", "currency", "amount", "joined by", "file", "row")
_POSTING = ("record_id", "account", "account_name", "currency", "amount", "file", "row")
_CELL = ("mart", "key", "quarter", "period", "figure", "currency", "amount")
_EXCEPTION = ("code", "severity", "owner", "left_key", "right_key", "currency", "amount", "sentence")
_MILESTONES = (("order", "order_accepted_on"), ("invoice", "invoice_posted_on"), ("payment", "payment_applied_on"),
               ("publication", "published_on"))  # fmt: skip


@click.command()
@click.argument("asked", metavar="ID")
@click.option(
    "--limit", default=_MOST_SHOWN, show_default=True, type=click.IntRange(1), help="Most rows to show of a table."
)
@as_json
@click.pass_obj
def trace(context: Context, asked: str, limit: int, *, as_json: bool) -> int:
    """Follow ID through all systems: deal, order, invoices, cash, bank line, postings, figures.

    ID is anything a record is called by in any system: its id (po_1N2…, 006…, erp:4711), the number printed on it, a
    bank reference, the id of a line. Each record is shown with the rule that joined it, and its file and row. The exit
    code is 3 when an exception names a record of the chain, 2 when ID means several records, which are listed.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from finpipe.publish.trace import trace as follow  # noqa: PLC0415

    found = follow(context.home, asked)
    if as_json:
        emit(asdict(found))
    elif found.choices:
        _show_choices(context, found)
    else:
        _show(context, found, limit)
    return Exit.USAGE if found.choices else Exit.FINDINGS if found.exceptions else Exit.DONE


def _show_choices(context: Context, found: "Trace") -> None:
    columns = ("id", "entity", "kind", "number", "customer", "on", "currency", "amount", "file")
    fields = ("record_id", "entity", "kind", "number", "customer_id", "happened_on", "currency", "amount", "file")
    grid(context, f"{found.asked} is the name of", columns, [[r[f] for f in fields] for r in found.choices])
    last_line(f"{counted(len(found.choices), 'record')} of that name", "finpipe trace ID of one of them")


def _show(context: Context, found: "Trace", limit: int) -> None:
    grid(context, f"Chain of {found.asked}", _RECORD, [_record(r) for r in found.records[:limit]])
    _show_milestones(context, found.milestones[:limit])
    for title, fields, rows in (
        ("Postings, debit positive", _POSTING, found.postings),
        ("Figures it is part of", _CELL, found.cells),
        ("Exceptions", _EXCEPTION, found.exceptions),
    ):
        if rows:
            columns = [name.removesuffix("_id").replace("_", " ") for name in fields]
            grid(context, title, columns, [[row[name] for name in fields] for row in rows[:limit]])
    _last(found, limit)


def _record(record: dict[str, Any]) -> list[Any]:
    how = f"{record['relation']}, {record['rule']}" if record["rule"] else "asked for"
    return [
        record["entity"].replace("_", " "),
        record["record_id"],
        record["number"],
        record["kind"],
        record["status"],
        record["happened_on"],
        record["currency"],
        record["amount"],
        how,
        f"{record['load_seq']}: {record['file']}",
        record["row"],
    ]


def _show_milestones(context: Context, milestones: list[dict[str, Any]]) -> None:
    """Days reached; the weekdays by which each was late stand behind it, after the sign +."""
    if not milestones:
        return
    rows = [
        [
            m["booking_id"],
            m["closed_won_on"],
            *(_reached(m[reached], m[f"{name}_late_days"]) for name, reached in _MILESTONES),
            m["milestone"],
            m["disorder"],
        ]
        for m in milestones
    ]
    columns = ("booking", "won", "ordered", "invoiced", "paid", "published", "reached", "out of order")
    grid(context, "Milestones, + weekdays late", columns, rows)


def _reached(day: Any, late: int | None) -> str:
    return f"{day or 'open'}{f' +{late}' if late else ''}" if day or late is not None else ""


def _last(found: "Trace", limit: int) -> None:
    whole = max(map(len, (found.records, found.postings, found.cells, found.exceptions)))
    files = len({r["load_seq"] for r in found.records})
    state = f"{counted(len(found.records), 'record')} from {counted(files, 'file')}"
    state += ", the chain is longer" if found.is_cut else ""
    state += f", shown up to --limit {limit}" if whole > limit else ""
    state += f", {counted(len(found.exceptions), 'exception')}"
    code = found.exceptions[0]["code"] if found.exceptions else None
    last_line(state, f"finpipe exceptions --code {code}" if code else "finpipe trace ID --json")
