"""The one screen a run ends with, read from the publication in force.

Belongs here: choosing and laying out figures.  Does not belong here: computing any.
"""

from typing import Any

from finpipe.cli.base import Context, counted, grid, records, shown_path
from finpipe.settings import Home

_SYSTEMS = """
with files as (
    select system, count(*) as files, count(*) filter (where verdict = 'refused') as refused
    from ledger.loads group by system
),
accounts as (
    select system, sum(rows)::bigint as rows, sum(accepted)::bigint as accepted, sum(superseded)::bigint as superseded,
        sum(duplicate)::bigint as duplicate, sum(quarantined)::bigint as quarantined
    from ledger.row_accounts group by system
)
select f.system, f.files, f.refused, coalesce(rows, 0) as rows, coalesce(accepted, 0) as accepted,
    coalesce(superseded, 0) as superseded, coalesce(duplicate, 0) as duplicate,
    coalesce(quarantined, 0) as quarantined
from files f left join accounts a using (system) order by f.system"""
_QUARTERS = """
select quarter, currency, bookings_amount as bookings, billings_amount as billings, collections_amount as collections
from main.bookings_billings_collections order by quarter nulls last, currency"""
_RECONCILIATIONS = """
select reconciliation_id as R, left_name || ' ↔ ' || right_name as "left ↔ right", currency,
    sum(left_amount) as "left", sum(right_amount) as "right", sum(difference_amount) as difference,
    sum(explained_amount) as explained, sum(unexplained_amount) as unexplained,
    sum(finding_count)::bigint as findings,
    case when bool_or(status = 'red') then 'red' when bool_or(status = 'timing') then 'timing'
        when bool_and(status = 'not_applicable') then 'not applicable' else 'green' end as status
from main.reconciliations group by all order by all"""
_NOTES = """
select l.system, l.original_name as file, t.notes as note
from ledger.loaded_tables t join ledger.loads l using (load_seq) where t.notes <> '' order by load_seq, t.table_name"""


def gather(home: Home) -> dict[str, Any]:
    """The figures of the screen, as records."""
    from finpipe.publish.read import holding  # noqa: PLC0415
    from finpipe.warehouse import STILL_REFUSED  # noqa: PLC0415

    refused = f"select system, original_name as file, reason, fix from ({STILL_REFUSED}) order by load_seq"
    with holding(home) as (folder, said, connection):
        figures: dict[str, Any] = {}
        for name, sql in (
            ("systems", _SYSTEMS),
            ("refused_files", refused),
            ("notes", _NOTES),
            ("quarters", _QUARTERS),
            ("reconciliations", _RECONCILIATIONS),
        ):
            asked = connection.execute(sql)
            columns = [c[0] for c in asked.description or ()]
            figures[name] = records(columns, asked.fetchall())
    figures["publication"] = {
        **{name: value for name, value in said.items() if name not in ("tables", "files")},
        "folder": str(folder),
        "current": str(home.published / "current"),
    }
    return figures


def is_clean(figures: dict[str, Any]) -> bool:
    """Whether nothing was refused and nothing is left to explain."""
    return (
        not figures["refused_files"]
        and not any(row["quarantined"] for row in figures["systems"])
        and not any(row["unexplained"] or row["status"] == "red" for row in figures["reconciliations"])
    )


def show(context: Context, figures: dict[str, Any]) -> None:
    """Print the screen."""
    context.console.print()
    _grid(context, "Rows = accepted + superseded + duplicate + quarantined", figures["systems"])
    if figures["refused_files"]:
        _grid(context, "Refused files", figures["refused_files"])
    if figures["notes"]:
        _grid(context, "Remarks of the reader", figures["notes"])
    _grid(context, "Bookings, billings and collections", figures["quarters"])
    _grid(context, "Reconciliations", figures["reconciliations"])
    said = figures["publication"]
    opened = sum(1 for row in figures["reconciliations"] if row["unexplained"])
    context.console.print(
        f"[bold]Publication {said['publication']}[/bold]  as of {said['as_of']}, digest {said['digest'][:12]}, "
        f"{counted(opened, 'reconciliation')} with something unexplained",
        soft_wrap=True,
    )
    context.console.print(f"  {shown_path(context.home.published / 'current')}/finance.duckdb", soft_wrap=True)
    context.console.print(f"  {shown_path(context.home.published / 'current')}/parquet/*.parquet", soft_wrap=True)
    context.console.print()


def _grid(context: Context, title: str, found: list[dict[str, Any]]) -> None:
    if not found:
        context.console.print(f"[bold]{title}[/bold]\nnone\n")
        return
    grid(context, title, list(found[0]), [list(row.values()) for row in found])
