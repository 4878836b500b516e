"""Commands that look at what is published: ``status``, ``query``, ``publications``, ``roll-back``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line, records, shown_path

if TYPE_CHECKING:
    from finpipe.observe import Cause, Judged

#: Rows of an answer that are shown unless `--limit` says otherwise.
_MOST_ROWS = 1000


@click.command()
@as_json
@click.pass_obj
def status(context: Context, *, as_json: bool) -> int:
    """What is landed, what is published, and what to do next."""
    from finpipe.cli.screen import gather, is_clean  # noqa: PLC0415
    from finpipe.ingest.landing import landed as count_landed  # noqa: PLC0415
    from finpipe.orchestration.watch import judged  # noqa: PLC0415
    from finpipe.publish.read import current  # noqa: PLC0415

    folder = current(context.home)
    verdicts = judged(context.home)
    landed = count_landed(context.home)
    if folder is None:
        code = Exit.FINDINGS if any(c.state == "mismatched" for c in verdicts.causes) else Exit.DONE
        if as_json:
            counts = {"files_landed": landed, "files_waiting": landed}
            emit({"home": str(context.home.root), **counts, "publication": None, **_freshness(verdicts)})
            return code
        click.echo(f"home        {shown_path(context.home.root)}")
        if verdicts.causes:
            _show_freshness(context, verdicts)
        step = "finpipe run" if landed else "finpipe land SYSTEM PATH…"
        last_line(f"nothing published yet, {counted(landed, 'file')} landed", step)
        return code
    figures = gather(context.home)
    said = figures["publication"]
    known = sum(row["files"] for row in figures["systems"])
    waiting = max(0, landed - known)
    clean = is_clean(figures) and not any(c.state in ("late", "mismatched") for c in verdicts.causes)
    facts = {
        "home": str(context.home.root),
        "files_landed": landed,
        "files_waiting": waiting,
        "publication": said,
        "systems": figures["systems"],
        "refused_files": figures["refused_files"],
        "notes": figures["notes"],
        "reconciliations": figures["reconciliations"],
        **_freshness(verdicts),
    }
    if as_json:
        emit(facts)
        return Exit.DONE if clean else Exit.FINDINGS
    click.echo(f"home         {shown_path(context.home.root)}")
    click.echo(f"publication  {said['publication']} of {said['published_at']}, as of {said['as_of']}")
    click.echo(f"as known     load {said['load_seq']}, received {said.get('as_known') or '?'}")
    click.echo(f"digest       {said['digest']}")
    click.echo()
    for title, name in (("", "systems"), ("Refused files", "refused_files"), ("Remarks of the reader", "notes")):
        if found := figures[name]:
            grid(context, title, list(found[0]), [list(row.values()) for row in found])
    _show_freshness(context, verdicts)
    _last(figures["reconciliations"], waiting, clean=clean)
    return Exit.DONE if clean else Exit.FINDINGS


def _freshness(found: "Judged") -> dict[str, Any]:
    """Verdicts and causes as records."""
    verdicts = [
        {"subject": v.subject, "state": v.state, "owner": v.owner, "due_at": v.due_at, "seen": dict(v.seen)}
        for v in found.verdicts
    ]
    causes = [
        {"subject": c.subject, "state": c.state, "kind": c.kind, "which": c.detail, "owner": c.owner}
        | {"sentence": c.sentence, "seen": dict(c.seen)}
        for c in found.causes
    ]
    return {"freshness": verdicts, "causes": causes}


def _show_freshness(context: Context, found: "Judged") -> None:
    """Who is late or mismatched, and what is financially late, apart."""
    rows = [(v.subject, v.state, v.due_at, v.owner) for v in found.verdicts]
    grid(context, f"In time, judged at {found.at:%Y-%m-%d %H:%M} UTC", ("subject", "state", "was due", "owner"), rows)
    for title, apart in (("Late and mismatched", False), ("Financially late", True)):
        causes = [c for c in found.causes if (c.state == "financially late") is apart]
        if causes:
            grid(context, title, ("subject", "kind", "owner", "what"), [_cause(c) for c in causes])


def _cause(cause: "Cause") -> tuple[str, ...]:
    return cause.subject, cause.kind, cause.owner, cause.sentence


def _last(reconciliations: list[dict[str, Any]], waiting: int, *, clean: bool) -> None:
    red = len({row["R"] for row in reconciliations if row["status"] == "red"})
    state = f"{counted(waiting, 'landed file')} waiting, {counted(red, 'reconciliation')} red"
    last_line(state, "finpipe run" if waiting else 'finpipe query "show tables"' if clean else "finpipe exceptions")


@click.command()
@click.argument("sql")
@click.option("--limit", default=_MOST_ROWS, show_default=True, help="Most rows to show.", type=click.IntRange(1))
@click.option("--snapshot", type=click.Path(path_type=Path), help="A snapshot of `finpipe build` instead.")
@as_json
@click.pass_obj
def query(context: Context, sql: str, limit: int, *, snapshot: Path | None, as_json: bool) -> int:
    """Ask the publication in force, in SQL. It can be read and nothing else."""
    from finpipe.publish.read import query as ask  # noqa: PLC0415

    answer = ask(context.home, sql, limit=limit + 1, snapshot=snapshot)
    rows, more = answer.rows[:limit], len(answer.rows) > limit
    if as_json:
        emit(records(answer.columns, rows))
        return Exit.DONE
    grid(context, "", answer.columns, rows)
    source = f"snapshot {shown_path(snapshot)}" if snapshot else f"publication {answer.folder.name}"
    cut = f", cut at --limit {limit}" if more else ""
    last_line(f"{counted(len(rows), 'row')}{cut} from {source}", 'finpipe query "show all tables"')
    return Exit.DONE


@click.command()
@as_json
@click.pass_obj
def publications(context: Context, *, as_json: bool) -> int:
    """Publications that are kept, oldest first."""
    from finpipe.publish.read import current, manifest_of  # noqa: PLC0415
    from finpipe.publish.read import publications as kept  # noqa: PLC0415

    in_force = current(context.home)
    columns = ("publication", "in force", "as_of", "as_known", "load_seq", "published_at", "digest")
    rows = []
    for number in kept(context.home):
        said = manifest_of(context.home.published / str(number))
        is_current = in_force is not None and in_force.name == str(number)
        cut = (said["as_of"], said.get("as_known"), said["load_seq"])
        rows.append((number, is_current, *cut, said["published_at"], said["digest"]))
    if as_json:
        emit(records(columns, rows))
        return Exit.DONE
    grid(context, "", columns, rows)
    last_line(counted(len(rows), "publication"), "finpipe roll-back NUMBER" if len(rows) > 1 else "finpipe status")
    return Exit.DONE


@click.command("roll-back")
@click.argument("number", type=int)
@click.pass_obj
def roll_back(context: Context, number: int) -> int:
    """Put an earlier publication in force again. The next run publishes anew."""
    from finpipe.publish import roll_back as go_back  # noqa: PLC0415
    from finpipe.warehouse import write_lock  # noqa: PLC0415

    with write_lock(context.home):
        done = go_back(context.home, number)
    last_line(f"publication {done.seq} is in force", "finpipe status")
    return Exit.DONE
