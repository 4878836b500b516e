"""A backfill from the UI: published figures as an asset partitioned by accounting period.

Belongs here: the partitions, the asset and its job.  Does not belong here: finding or publishing what differs; the
command line calls the same functions (``backfill``).
The partitions are the periods of all fiscal calendars, as the publication in force knows them: the calendars are stated
once, in the ERP, and nothing is listed here.  Figures are rebuilt whole (docs/decisions/0029), so one run serves any
number of periods.
"""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from finpipe.orchestration import specs
from finpipe.orchestration.backfill import Backfill, Signed, backfill, commit, known_periods
from finpipe.orchestration.company import PATIENCE_SECONDS, Company, failing
from finpipe.orchestration.figures import Difference
from finpipe.orchestration.metadata import table
from finpipe.publish import current, manifest_of
from finpipe.settings import Home

if TYPE_CHECKING:
    from finpipe.orchestration.run import Ran

PERIODS = dg.DynamicPartitionsDefinition(name="accounting_periods")
_COLUMNS = ("measure", "entity", "currency", "before", "after", "difference", "cause")


class Restatement(dg.Config):
    """Nothing = a preview. To publish what a preview showed: who restates, who agrees, and why."""

    commit: bool = False
    by: str = ""
    approved_by: str | None = None
    reason: str = ""


def restate_assets() -> dg.AssetsDefinition:
    """The step that compares published figures with recomputed ones, period by period."""
    # One run over all periods that are asked for is a beta of Dagster, which says so at each start.  Runs would work
    # one by one as well, but the second commit would find that the first has published.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.asset(
            key=specs.RESTATED,
            deps=[specs.PUBLISHED],
            group_name="published",
            owners=specs.team(specs.STAGE_OWNERS["published"]),
            kinds={"duckdb"},
            partitions_def=PERIODS,
            backfill_policy=dg.BackfillPolicy.single_run(),
            description="What the published figures of a period would become if they were recomputed now, and by which "
            "cause. Publishes nothing unless `commit` is set, and then what an earlier preview showed.",
        )(_period_figures)


def _period_figures(context: dg.AssetExecutionContext, config: Restatement, company: dg.ResourceParam[Company]) -> None:
    labels = list(context.partition_keys)
    tell = lambda stage, what: context.log.info(f"{stage} {what}") if stage in ("preview", "load") else None  # noqa: E731
    ran = None
    with failing():
        if config.commit:
            signed = Signed(config.by, config.approved_by, config.reason)
            found, ran = commit(company.home, labels, signed, tell, context.instance, PATIENCE_SECONDS)
        else:
            found = backfill(company.home, labels, tell)
    _stop(ran)
    for label in labels:
        context.add_asset_metadata(_shown(found, label, ran), asset_key=specs.RESTATED, partition_key=label)


def note_periods(home: Home, instance: dg.DagsterInstance) -> None:
    """Make partitions of periods that are new; one that no calendar has any more stays, with its history."""
    folder = current(home)
    if folder is None or not {"main.calendar", "main.period_figures"} <= set(manifest_of(folder)["tables"]):
        return
    known = set(instance.get_dynamic_partitions(str(PERIODS.name)))
    new = [p.label for p in known_periods(home) if p.quarter and p.label not in known]
    if new:
        instance.add_dynamic_partitions(str(PERIODS.name), new)


def _stop(ran: "Ran | None") -> None:
    """A commit whose run did not publish is no success."""
    if ran is not None and (ran.failures or ran.blocking):
        said = [*(problem.error for problem in ran.failures.values()), *ran.blocking]
        raise dg.Failure("it was not published: " + "; ".join(said[:5]), {"run": ran.run_id}, allow_retries=False)


def _shown(found: Backfill, label: str, ran: "Ran | None") -> dict[str, Any]:
    mine = [d for d in found.inside if f"{d.quarter} {d.period}".strip() == label]
    inputs = found.preview.inputs
    return {
        "figures that differ": len(mine),
        "differences": table(_COLUMNS, [_row(d) for d in mine]),
        "closed": any(found.is_locked(d) for d in mine),
        "as_of": inputs.as_of,
        "published at load": inputs.published_seq,
        "recomputed at load": inputs.load_seq,
        "audit": found.preview.broken or "passed",
        **({"publication": ran.publication} if ran and ran.publication else {}),
    }


def _row(one: Difference) -> Sequence[Any]:
    return (one.measure, one.legal_entity_id, one.currency, one.before, one.after, one.change, one.cause)
