"""Commands that bring extracts in: ``land``, ``fetch``, ``systems``."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from finpipe.cli.base import Context, Exit, as_json, choose, counted, emit, grid, last_line, records
from finpipe.systems import System, broken_systems, find_systems

if TYPE_CHECKING:
    from finpipe.ingest import Landed

_COLUMNS = ("file", "table", "verdict", "bytes", "reason", "fix")


@click.command()
@click.argument("system")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@as_json
@click.pass_obj
def land(context: Context, system: str, paths: tuple[Path, ...], *, as_json: bool) -> int:
    """Take in extracts of SYSTEM: files or folders. The same bytes again change nothing."""
    from finpipe import ingest  # noqa: PLC0415

    described = _meant(context, system)
    return _landed(context, ingest.land(context.home, described, [p.resolve() for p in paths]), as_json=as_json)


@click.command()
@click.argument("system")
@as_json
@click.pass_obj
def fetch(context: Context, system: str, *, as_json: bool) -> int:
    """Fetch what is new in a live SYSTEM (SQL or REST) and land it."""
    from finpipe import ingest  # noqa: PLC0415

    described = _meant(context, system)
    return _landed(context, ingest.fetch(context.home, described), as_json=as_json)


@click.command()
@as_json
@click.pass_obj
def systems(context: Context, *, as_json: bool) -> int:
    """Which systems are described, and what each feeds."""
    columns = ("system", "role", "owner", "tables", "feeds", "folder")
    rows = [
        (s.name, s.role, s.owner, len(s.tables), ", ".join(s.mappings), str(s.folder))
        for s in find_systems(context.home).values()
    ]
    broken = broken_systems(context.home)
    if as_json:
        emit(records(columns, rows))
        return Exit.FINDINGS if broken else Exit.DONE
    grid(context, "", columns[:-1], [row[:-1] for row in rows])
    for name, problem in broken.items():
        click.echo(f"{name} is set aside: {problem.error} ({problem.where}): {problem.got}\n  fix: {problem.fix}")
    aside = f", {len(broken)} set aside" if broken else ""
    last_line(counted(len(rows), "system") + aside, "finpipe land SYSTEM PATH…")
    return Exit.FINDINGS if broken else Exit.DONE


def _meant(context: Context, name: str) -> System:
    """The system of a name; of one that is set aside the reason is told."""
    if problem := broken_systems(context.home).get(name):
        raise problem
    found: System = choose(find_systems(context.home), name, "system")
    return found


def _landed(context: Context, files: "list[Landed]", *, as_json: bool) -> int:
    rows = [(f.path.name, f.table, f.verdict, f.bytes, f.reason, f.fix) for f in files]
    count = Counter(f.verdict for f in files)
    if as_json:
        emit({"files": records(_COLUMNS, rows), **{name: count[name] for name in sorted(count)}})
    else:
        grid(context, "", _COLUMNS[:4], [row[:4] for row in rows])
        for file in files:
            if file.reason:
                click.echo(f"{file.path.name}: {file.reason}\n  fix: {file.fix}")
        said = ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(count.items())) or "no files found"
        last_line(said, "finpipe run" if count["landed"] else "finpipe status")
    return Exit.FINDINGS if count["refused"] else Exit.DONE
