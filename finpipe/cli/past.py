"""The command that asks for other figures than the published ones: ``build``.

Belongs here: its arguments and what is printed.  Does not belong here: making the figures.
"""

from datetime import datetime
from pathlib import Path

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, last_line, shown_path
from finpipe.cli.work import progress


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
