"""Commands of the demo company: ``demo generate``, ``demo score`` and ``demo drill``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from finpipe.cli.base import Commands, Context, Exit, counted, emit, grid, last_line, shown_path
from finpipe.errors import FinpipeError

if TYPE_CHECKING:
    from finpipe.demo.score import Score

RHYTHMS = ("hour", "day", "month")


@click.group(cls=Commands)
def demo() -> None:
    """A made-up company with known truth: write its extracts, score the pipeline on it."""


@demo.command()
@click.option("--seed", type=int, required=True, help="Which company: the same seed gives the same bytes.")
@click.option("--scale", type=float, default=0.01, show_default=True, help="1 is about 100,000 invoices.")
@click.option("--faults", default="none", show_default=True, help="none, all, or exception codes with commas between.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make; must be new or empty.")
@click.option("--batches", type=click.Choice(RHYTHMS), help="Also deliver it in drops of an hour, a day or a month.")
@click.option("--mishaps", default="all", show_default=True, help="What happens to drops: all, none, or kinds.")
def generate(seed: int, scale: float, faults: str, out: Path, batches: str | None, mishaps: str) -> int:
    """Write the extracts of a whole company, its finpipe.toml, and the truth beside them."""
    from finpipe.demo import DemoError  # noqa: PLC0415
    from finpipe.demo import generate as make  # noqa: PLC0415

    try:
        made = make(seed, scale, faults, out, batches=batches, mishaps=mishaps)
    except DemoError as problem:
        raise _told(problem, "finpipe demo generate", fix="finpipe demo generate --help") from None
    extracts = {name: rows for name, rows in made.rows.items() if name.startswith("extracts/")}
    click.echo(f"{counted(sum(extracts.values()), 'row')} in {counted(len(extracts), 'extract')}, to {made.cut}")
    for code, count in made.faults.items():
        click.echo(f"  {code:<18}{count:>5}")
    systems = sorted({name.split("/")[1] for name in extracts})
    folder = shown_path(out)
    state = f"{counted(sum(made.faults.values()), 'fault')} planted in {folder}, truth in {folder}/truth"
    commands = [f"finpipe land {system} {folder}/extracts/{system}" for system in systems]
    last_line(state, f"cp {folder}/finpipe.toml to FINPIPE_HOME", *commands, f"finpipe run --as-of {made.cut}")
    return Exit.DONE


@demo.command()
@click.option("--seeds", default="1,2,3", show_default=True, help="Companies to run, with commas between.")
@click.option("--scale", type=float, default=0.01, show_default=True, help="1 is about 100,000 invoices each.")
@click.option("--truth-only", is_flag=True, help="Only clean twins: marts against the truth, and false findings.")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Folder in which companies stay.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the tables of the README.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are text.")
@click.pass_obj
def score(
    context: Context, seeds: str, scale: float, keep: Path | None, *, truth_only: bool, as_markdown: bool, as_json: bool
) -> int:
    """Run the pipeline over generated companies and hold it against their truth.

    Every seed is run twice in a throw-away home: its clean twin, where marts must equal the truth and nothing may be
    found, and the company with faults of every kind, for recall and precision per exception code.
    """
    from finpipe.demo import DemoError  # noqa: PLC0415
    from finpipe.demo.score import as_data, markdown  # noqa: PLC0415
    from finpipe.demo.score import score as judge  # noqa: PLC0415

    is_silent = as_json or as_markdown
    try:
        chosen = _seeds(seeds)
        result = judge(chosen, scale, keep, lambda s: None if is_silent else click.echo(s), truth_only=truth_only)
    except DemoError as problem:
        raise _told(problem, "finpipe demo score", fix="mend what it names, then finpipe demo score again") from None
    if as_json:
        emit(as_data(result))
    elif as_markdown:
        click.echo(markdown(result))
    else:
        _show(context, result)
    return Exit.DONE if result.is_perfect else Exit.FINDINGS


@demo.command()
@click.option("--seeds", default="1", show_default=True, help="Companies to deliver, with commas between.")
@click.option("--scale", type=float, default=0.005, show_default=True, help="1 is about 100,000 invoices each.")
@click.option(
    "--batches", type=click.Choice(RHYTHMS), default="day", show_default=True, help="How much one drop holds."
)
@click.option("--mishaps", default="all", show_default=True, help="What happens to drops: all, none, or kinds.")
@click.option(
    "--runs", default=4, show_default=True, type=click.IntRange(1), help="Runs, evenly spread; one at the end."
)
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Folder in which companies stay.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are text.")
@click.pass_obj
def drill(
    context: Context,
    seeds: str,
    scale: float,
    batches: str,
    mishaps: str,
    runs: int,
    keep: Path | None,
    *,
    as_json: bool,
) -> int:
    """Score the pipeline on deliveries: a clean company landed drop after drop, with mishaps.

    Files come late, twice, overlapping, torn or swapped, a column is renamed in mid-quarter, the ERP is replaced from
    the seventh month on. In the end marts must equal the truth and nothing may be found.
    """
    from finpipe.demo import DemoError  # noqa: PLC0415
    from finpipe.demo.drill import Delivery  # noqa: PLC0415
    from finpipe.demo.drill import drill as judge  # noqa: PLC0415
    from finpipe.demo.score import as_data  # noqa: PLC0415

    try:
        delivery = Delivery(batches, mishaps, runs)
        result = judge(_seeds(seeds), scale, delivery, keep, lambda s: None if as_json else click.echo(s))
    except DemoError as problem:
        raise _told(problem, "finpipe demo drill", fix="mend what it names, then finpipe demo drill again") from None
    if as_json:
        emit(as_data(result))
    else:
        _show(context, result, "drill")
    return Exit.DONE if result.is_perfect else Exit.FINDINGS


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise click.BadParameter(f"seeds are whole numbers with commas between, not {text!r}") from None


def _told(problem: ValueError, where: str, fix: str) -> FinpipeError:
    error, _, got = str(problem).partition(": ")
    return FinpipeError(error, where=where, got=got, fix=fix)


def _show(context: Context, result: "Score", command: str = "score") -> None:
    from finpipe.demo.score import COLUMNS, code_rows, figure_rows  # noqa: PLC0415

    grid(context, "Marts of the clean twin = truth", ("figure", "per", "compared", "different"), figure_rows(result))
    differ = [(s, f.name, *d) for s, f in result.figures for d in f.differences[:5]]
    if differ:
        grid(context, "First differences", ("seed", "figure", "key", "truth", "mart"), differ)
    if result.clean_false:
        grid(context, "False findings on the clean twin", ("seed", "finding"), result.clean_false[:30])
    covered, others = code_rows(result, covered=True), code_rows(result, covered=False)
    if result.tallies:
        grid(context, "Planted faults (money weighed in US dollars at nominal rates)", COLUMNS, covered)
        grid(context, "Follow-on findings on records of a fault: fault → exception", ("codes", "exceptions"),
             sorted(result.follow_on.items()))  # fmt: skip
        grid(context, "Not covered yet: no part of the pipeline raises these", ("code", "planted"),
             [row[:2] for row in others])  # fmt: skip
    if result.false:
        grid(context, f"False findings, first {min(30, len(result.false))}", ("seed", "finding"), result.false[:30])
    last_line(_state(result), f"finpipe demo {command} --json", f"finpipe demo {command} --keep DIR")


def _state(result: "Score") -> str:
    differ = sum(bool(f.different) for _, f in result.figures)
    tallies = [t for t in result.tallies.values() if t.code in result.covered]
    found, planted = sum(t.found for t in tallies), sum(t.planted for t in tallies)
    clean = counted(len(result.clean_false), "false finding")
    said = f"{counted(differ, 'figure')} of {len(result.figures)} differ from the truth, {clean} on the clean twin"
    if not tallies:
        return said
    return f"{said}; {found} of {planted} faults of covered codes found, {len(result.false)} false"
