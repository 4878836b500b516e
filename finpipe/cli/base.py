"""What every command shares: errors in four lines, exit codes, JSON, tables, and the last line.

Belongs here: how things are said.  Does not belong here: what is said.
"""

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from finpipe.errors import BusyError, FinpipeError
from finpipe.settings import Home

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

#: Tools that phone home unless told not to.
_SILENCE = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DO_NOT_TRACK": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}
#: Width of text where no terminal says one; tables that need more get it, so that nothing is cut in a log.
_WIDE, _WIDEST = 180, 10_000


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    BUSY = 75


class Commands(click.Group):
    """A group whose mistakes come as four lines and an exit code, never as a stack trace."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command and leave with its exit code."""
        os.environ.update({k: v for k, v in _SILENCE.items() if k not in os.environ})
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.exceptions.NoArgsIsHelpError as problem:
            command = problem.ctx.command_path if problem.ctx else "finpipe"
            _leave(FinpipeError("no command was given", where=command, fix=f"{command} --help"), Exit.USAGE)
        except click.UsageError as problem:
            command = problem.ctx.command_path if problem.ctx else "finpipe"
            _leave(FinpipeError(problem.format_message(), where=command, fix=f"{command} --help"), Exit.USAGE)
        except click.Abort:
            _leave(FinpipeError("stopped", fix="nothing is half done: call the command again"), Exit.FAILED)
        except click.ClickException as problem:
            _leave(FinpipeError(problem.format_message()), Exit.FAILED)
        except BusyError as problem:
            _leave(problem, Exit.BUSY)
        except FinpipeError as problem:
            _leave(problem, Exit.FAILED)
        sys.exit(code if isinstance(code, int) else Exit.DONE)


def _leave(problem: FinpipeError, code: Exit) -> NoReturn:
    tell(problem)
    sys.exit(code)


def tell(problem: FinpipeError) -> None:
    """A mistake in four lines, on standard error."""
    lines = (("error", problem.error), ("where", problem.where), ("got", problem.got), ("fix", problem.fix))
    for name, text in lines:
        click.echo(f"{name + ':':<7}{' '.join(text.split()) or '-'}", err=True)


class Context:
    """The home a command works on, and how it speaks."""

    def __init__(self) -> None:
        """Read the environment."""
        self.home = Home.from_environment()

    @property
    def console(self) -> "Console":
        """Standard output."""
        from rich.console import Console  # noqa: PLC0415

        return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE)


def this_person() -> str:
    """Who decides, unless the command says another: FINPIPE_USER, else the user of this machine."""
    return os.environ.get("FINPIPE_USER") or getpass.getuser()


def as_json(function: F) -> F:
    """The option of every reading command."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are text.")(function)


def emit(data: Any) -> None:
    """Print JSON."""
    click.echo(json.dumps(data, indent=2, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)


def plain(value: Any) -> str:
    """A value as a cell: money with its decimals, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return money(value)
    return _plain(value) if isinstance(value, date | datetime) else str(value)


def money(value: Decimal) -> str:
    """Thousands apart, two decimals at least, and every further one that is not zero."""
    sign, digits, exponent = value.normalize().as_tuple()
    places = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{value:,.{places}f}" if digits or sign else "0.00"


def grid(context: Context, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; numbers to the right."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    rows = list(rows)
    table = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i, name in enumerate(columns):
        is_number = any(isinstance(row[i], int | Decimal) and not isinstance(row[i], bool) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, header_style="dim")
    for row in rows:
        table.add_row(*(Text(plain(value)) for value in row))
    console = context.console
    if not console.is_terminal:
        console.width = max(_WIDE, console.measure(table, options=console.options.update(width=_WIDEST)).maximum)
    console.print(table)
    console.print()


def records(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as objects."""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def last_line(state: str, *following: str) -> None:
    """The last line of every command: what is now, and what to type next."""
    click.echo(f"{state}" + (f"; next: {' | '.join(following)}" if following else ""))


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 file``, ``2 files``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shown_path(path: Path) -> str:
    """A path as short as it can be typed."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def choose(found: Mapping[str, Any], name: str, what: str) -> Any:
    """The one meant; a usage error that lists the others when there is none."""
    if name not in found:
        raise click.BadParameter(f"there is no {what} {name!r}; there are: {', '.join(sorted(found)) or 'none'}")
    return found[name]
