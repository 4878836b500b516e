"""``doctor``: whether this installation can do its work."""

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, grid, last_line


@click.command()
@as_json
@click.pass_obj
def doctor(context: Context, *, as_json: bool) -> int:
    """Check the machine, the environment and the home; every finding says what to do. Changes nothing."""
    from finpipe.doctor import examine  # noqa: PLC0415

    findings = examine(context.home)
    failed = [f for f in findings if f.state == "failed"]
    warned = [f for f in findings if f.state == "warning"]
    code = Exit.FAILED if failed else Exit.FINDINGS if warned else Exit.DONE
    if as_json:
        emit([{"check": f.check, "state": f.state, "saw": f.saw, "fix": f.fix} for f in findings])
        return code
    grid(context, "", ("check", "state", "saw", "fix"), [(f.check, f.state, f.saw, f.fix) for f in findings])
    if failed or warned:
        last_line(f"{counted(len(failed), 'failure')}, {counted(len(warned), 'warning')}", "the fix beside each")
    else:
        last_line(f"{counted(len(findings), 'check')}: all is well", "finpipe run")
    return code
