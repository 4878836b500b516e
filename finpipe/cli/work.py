"""The command that does the work: ``run``."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from finpipe.cli.base import Context, Exit, as_json, counted, emit, last_line, tell
from finpipe.cli.screen import gather, is_clean, show
from finpipe.errors import FinpipeError

if TYPE_CHECKING:
    from finpipe.orchestration.run import Ran

#: After how many new objects Python looks for cycles. At its own 700 that was 4.8 of 67 CPU seconds of a cold run,
#: most of it in walking through what dbt and Dagster hold to the end.
_CYCLES = (20_000, 20, 10)
_DOING = {"load": "loading", "conform": "conforming", "build": "building", "check": "checking", "publish": "publishing"}


@click.command()
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Business date of the figures (default: today, UTC).")
@as_json
@click.pass_obj
def run(context: Context, as_of: datetime | None, *, as_json: bool) -> int:
    """Load what is new, conform, build, audit and publish; ends with one screen of figures."""
    began = time.monotonic()
    gc.set_threshold(*_CYCLES)
    with quiet(), progress(is_silent=as_json) as told:
        told("start", "Dagster")
        from finpipe.orchestration.aside import set_aside  # noqa: PLC0415
        from finpipe.orchestration.clock import today  # noqa: PLC0415
        from finpipe.orchestration.run import run_job  # noqa: PLC0415

        cut = as_of.date() if as_of else today(context.home)
        ran = run_job(context.home, cut, told)
    if ran.failures or ran.blocking:
        return failed(ran)
    figures, aside = gather(context.home), set_aside(context.home)
    clean = is_clean(figures) and not ran.warnings and not aside
    if as_json:
        emit(
            {
                "run": ran.run_id,
                "files_new": ran.files_new,
                "is_new": ran.is_published,
                "warnings": ran.warnings,
                "systems_set_aside": sorted(aside),
                **figures,
            }
        )
        return Exit.DONE if clean else Exit.FINDINGS
    show(context, figures)
    for name, problem in aside.items():
        click.echo(f"{name} is set aside, all that it gave stands: {problem.error} ({problem.where}): {problem.got}")
        click.echo(f"  fix: {problem.fix}")
    last_line(_state(context, ran, cut, time.monotonic() - began), *_next(clean=clean))
    return Exit.DONE if clean else Exit.FINDINGS


def _state(context: Context, ran: "Ran", cut: date, seconds: float) -> str:
    if ran.files_new:
        news = f"{counted(ran.files_new, 'new file')} loaded"
    elif context.home.landing.is_dir():
        news = "nothing new: nothing was loaded twice"
    else:
        news = "nothing has been landed yet"
    place = f"publication {ran.publication} " + ("published" if ran.is_published else "still stands")
    return f"{news}; {place} as of {cut}, {seconds:.0f} s"


def _next(*, clean: bool) -> tuple[str, ...]:
    look = 'finpipe query "from bookings_billings_collections"'
    return (look, "finpipe status", "finpipe verify") if clean else ("finpipe exceptions", look, "finpipe verify")


def failed(ran: "Ran") -> int:
    """Say why, in four lines each; what was published before stays."""
    for problem in ran.failures.values():
        if ran.blocking and "blocking asset check" in problem.got:
            continue
        tell(problem)
    if ran.blocking:
        tell(
            FinpipeError(
                f"the audit stopped publishing: {counted(len(ran.blocking), 'blocking check')} failed",
                where=f"run {ran.run_id}",
                got="; ".join(ran.blocking[:10]),
                fix="make dev shows each check with its numbers; correct the cause, then finpipe run",
            )
        )
    last_line("not published; the former publication stays in force", "finpipe status", "finpipe exceptions")
    return Exit.FAILED


@contextmanager
def progress(*, is_silent: bool) -> Iterator[Callable[[str, str], None]]:
    """Say what is being done: one live line on a terminal, plain lines elsewhere, nothing beside JSON."""
    if is_silent:
        yield lambda _stage, _what: None
    elif sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415

        console = Console(highlight=False)
        with console.status("starting") as status:
            stages: list[str] = []

            def live(stage: str, what: str) -> None:
                if stage not in stages:
                    stages.append(stage)
                    console.print(f"[dim]{_DOING.get(stage, stage)}[/dim]")
                status.update(f"{_DOING.get(stage, stage)} {what}")

            yield live
    else:
        # Tests are many and their names long: a log shows what is built, and those that fail at the end.
        yield lambda stage, what: click.echo(f"{_DOING.get(stage, stage)} {what}") if stage != "check" else None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Dagster's own log off the screen: the UI has it."""
    import logging  # noqa: PLC0415

    before: Any = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
