"""The commands about figures of other times: ``build`` and ``backfill``.

Belongs here: their arguments and what is printed.  Does not belong here: making the figures.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line, shown_path, this_person
from finpipe.cli.work import failed, progress, quiet

if TYPE_CHECKING:
    from finpipe.orchestration.backfill import Backfill
    from finpipe.orchestration.run import Ran

#: More differences than this are for --json.
_MOST_SHOWN = 60
_COLUMNS = ("measure", "period", "entity", "currency", "before", "after", "difference", "cause", "closed")


@click.command()
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Business date of the figures.")
@click.option("--as-known", help="Load number, date or moment up to which loads count (default: all there are).")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make (default: below snapshots/ of the home).")
@as_json
@click.pass_obj
def build(context: Context, as_of: datetime, as_known: str | None, out: Path | None, *, as_json: bool) -> int:
    """Make all marts for a business date and a knowledge date, as a snapshot beside what is published.

    A date means the end of that day in UTC. Data are those that had landed by then, code, policy and settings those of
    now. Nothing published is touched, and a run may go on meanwhile.
    """
    from finpipe.orchestration.asof import build_snapshot  # noqa: PLC0415

    with progress(is_silent=as_json) as told:
        place = out.resolve() if out else None
        made = build_snapshot(context.home, as_of.date(), as_known, place, told)
    said = {k: v for k, v in made.manifest.items() if k not in ("tables", "files", "publication")}
    if as_json:
        emit({"folder": str(made.folder), "is_new": made.is_new, **said})
        return Exit.DONE
    tables = counted(len(made.manifest["tables"]), "table")
    state = f"snapshot {'of' if made.is_new else 'was there already:'} {tables} as of {said['as_of']}, "
    state += f"as known at load {said['load_seq']} ({said['as_known']}), digest {said['digest'][:12]}"
    last_line(state, f'finpipe query "show tables" --snapshot {shown_path(made.folder)}')
    return Exit.DONE


@click.command()
@click.argument("periods", nargs=-1, required=True)
@click.option("--commit", "is_committing", is_flag=True, help="Publish what the preview showed, and log it.")
@click.option("--reason", default="", help="Why, in your words; it stands in the restatement log. Needed to commit.")
@click.option("--by", default=this_person, help="Who restates (default: FINPIPE_USER, else the user of this machine).")
@click.option("--approved-by", help="The second person; a closed period needs one.")
@as_json
@click.pass_obj
def backfill(
    context: Context,
    periods: tuple[str, ...],
    *,
    is_committing: bool,
    reason: str,
    by: str,
    approved_by: str | None,
    as_json: bool,
) -> int:
    """Recompute PERIODS and show what would change and why; with --commit publish exactly that.

    PERIODS is a quarter (2025-Q2), a period by its name (\"Apr 2025\"), a month (2025-04) or FIRST..LAST of those. The
    preview is made from everything that has landed, with code, policy and settings of now, at the business date of
    the publication in force; it publishes nothing and takes no lock. It can be stopped and called again.
    """
    if is_committing:
        if not reason.strip():
            raise click.UsageError("--commit needs --reason: it stands in the restatement log")
        return _commit(context, periods, (by, approved_by, reason), as_json=as_json)
    from finpipe.orchestration.backfill import backfill as look  # noqa: PLC0415

    with quiet(), progress(is_silent=as_json) as told:
        found = look(context.home, periods, told)
    if as_json:
        emit(_facts(found))
    else:
        _show(context, found)
        _conclude(found, periods)
    return Exit.FINDINGS if found.inside or found.preview.broken else Exit.DONE


def _commit(context: Context, periods: tuple[str, ...], signed: tuple[str, str | None, str], *, as_json: bool) -> int:
    from finpipe.orchestration.backfill import Signed, commit  # noqa: PLC0415

    with quiet(), progress(is_silent=as_json) as told:
        found, ran = commit(context.home, periods, Signed(*signed), told)
    if ran is not None and (ran.failures or ran.blocking):
        return failed(ran)
    if as_json:
        emit({**_facts(found), "published": ran.publication if ran else None})
    else:
        _say(found, ran)
    return Exit.DONE


def _say(found: "Backfill", ran: "Ran | None") -> None:
    if ran is None:
        last_line("no figure differs in these periods: nothing to restate", "finpipe run")
        return
    lines = counted(len(found.inside), "figure")
    last_line(f"publication {ran.publication}: {lines} restated", 'finpipe query "from ledger.backfills"')


def _show(context: Context, found: "Backfill") -> None:
    inputs = found.preview.inputs
    click.echo(f"publication {inputs.publication} as of {inputs.as_of}, as known at load {inputs.published_seq}")
    click.echo(f"recomputed  as known at load {inputs.load_seq}: {counted(len(found.preview.loads), 'new load')}")
    for load in found.preview.loads[:_MOST_SHOWN]:
        click.echo(f"  {load['load_seq']} {load['system']} {load['file']}, received {load['received_at']}")
    for what in inputs.changed:
        click.echo(f"  the {what} changed")
    click.echo()
    rows = [tuple(row.values()) for row in map(_row(found), found.inside)]
    if rows:
        shown = f", the first {_MOST_SHOWN} of {len(rows)}" if len(rows) > _MOST_SHOWN else ""
        grid(context, f"What differs in the periods{shown}", _COLUMNS, rows[:_MOST_SHOWN])
    if found.outside:
        count = Counter((d.period, found.is_locked(d)) for d in found.outside)
        grid(
            context,
            "Elsewhere",
            ("period", "closed", "figures"),
            [(*p, n) for p, n in count.items()],
        )
    if found.preview.broken:
        click.echo(f"the audit would stop it: {found.preview.broken}\n")


def _conclude(found: "Backfill", periods: tuple[str, ...]) -> None:
    if not found.inside:
        rest = f", {counted(len(found.outside), 'figure')} of other periods" if found.outside else ""
        last_line(f"no difference: these periods stand as published{rest}", "finpipe status")
        return
    is_closed = any(found.is_locked(d) for d in found.inside)
    second = " --approved-by NAME" if is_closed else ""
    span = " ".join(f'"{p}"' if " " in p else p for p in periods)
    said = f"{counted(len(found.inside), 'figure')} would change, nothing is published"
    last_line(said, f"finpipe backfill {span} --commit --reason …{second}")


def _row(found: "Backfill") -> Any:
    def row(one: Any) -> dict[str, Any]:
        place = (one.measure, one.period, one.legal_entity_id, one.currency)
        amounts = (one.before, one.after, one.change)
        return dict(zip(_COLUMNS, (*place, *amounts, one.cause, found.is_locked(one)), strict=True))

    return row


def _facts(found: "Backfill") -> dict[str, Any]:
    inputs = found.preview.inputs
    return {
        "preview": inputs.key,
        "publication": inputs.publication,
        "as_of": inputs.as_of,
        "published_load": inputs.published_seq,
        "recomputed_load": inputs.load_seq,
        "changed": list(inputs.changed),
        "new_loads": list(found.preview.loads),
        "audit": found.preview.broken or "passed",
        "differences": [_row(found)(d) for d in found.inside],
        "differences_elsewhere": [_row(found)(d) for d in found.outside],
    }
