"""Commands that prove: ``verify`` and ``rebuild``."""

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line, records
from finpipe.cli.work import progress


@click.command()
@as_json
@click.pass_obj
def verify(context: Context, *, as_json: bool) -> int:
    """Check the ledger's chain, every landed byte, raw rows, row accounts and the publication's files."""
    from finpipe.orchestration.prove import verify as prove  # noqa: PLC0415

    problems = prove(context.home)
    if as_json:
        emit({"problems": problems})
        return Exit.FAILED if problems else Exit.DONE
    for sentence in problems:
        click.echo(f"- {sentence}")
    if problems:
        last_line(f"{counted(len(problems), 'problem')} found", "finpipe rebuild --verify")
        return Exit.FAILED
    last_line("everything agrees: ledger, landing, raw tables, publication", "finpipe rebuild --verify")
    return Exit.DONE


@click.command()
@click.option("--verify", "is_verifying", is_flag=True, help="Compare with the publication; change nothing.")
@as_json
@click.pass_obj
def rebuild(context: Context, *, is_verifying: bool, as_json: bool) -> int:
    """Build everything again from landing, beside what is there.

    With --verify the result is compared with the publication in force, table by table. Without it the working
    database is set aside first and the next run starts from landing.
    """
    from finpipe.orchestration.prove import rebuild as again  # noqa: PLC0415
    from finpipe.orchestration.prove import start_over  # noqa: PLC0415

    if not is_verifying:
        said = start_over(context.home)
        if as_json:
            emit({"state": said})
        else:
            last_line(said, "finpipe run")
        return Exit.DONE

    with progress(is_silent=as_json) as told:
        result = again(context.home, told)
    columns = ("table", "rows published", "rows rebuilt", "same")
    rows = [(d.table, d.published, d.rebuilt, d.is_same) for d in result.tables]
    different = [row for row in rows if not row[3]]
    if as_json:
        emit(
            {
                "same": not different,
                "digest_published": result.published,
                "digest_rebuilt": result.rebuilt,
                "tables": records(columns, rows),
            }
        )
        return Exit.FAILED if different else Exit.DONE
    if different:
        grid(context, "Tables that differ", columns, different)
        last_line(f"{counted(len(different), 'table')} of {len(rows)} differ from the publication", "finpipe verify")
        return Exit.FAILED
    state = f"same digest {result.rebuilt[:12]} over {counted(len(rows), 'table')}: landing gives the publication again"
    last_line(state, "finpipe status")
    return Exit.DONE
