"""BUILD and AUDIT as one step: dbt's models as assets, its tests and the reconciliations as checks.

Belongs here: what is shown of a build.  Does not belong here: running dbt (``finpipe.build``).
Results are yielded when dbt has ended, for only then does it let go of the file that the numbers are read from;
what it is working on goes to the log and to whoever listens at once.
"""

from collections.abc import Iterator, Mapping
from itertools import starmap
from typing import Any, NamedTuple

import dagster as dg
import duckdb

from finpipe.build import BuildReport, Manifest, Node
from finpipe.build import build as build_stage
from finpipe.orchestration import specs
from finpipe.orchestration.company import Company, Cut, working
from finpipe.orchestration.exceptions import QUEUE, UNBLOCKED, queue_of, unblocked
from finpipe.orchestration.metadata import measures, table
from finpipe.warehouse import connect, quoted

EXPLAINED = "nothing_is_unexplained"

Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


def build_assets(manifest: Manifest, *, stops_at_blocking: bool = False) -> dg.AssetsDefinition:
    """The step that rebuilds and tests every model; by policy a blocking exception stops what comes after."""
    forms = [m.table for m in manifest.models.values() if m.schema == "reconciliation" and m.name.startswith("rec_")]
    explained = [
        dg.AssetCheckSpec(
            EXPLAINED,
            asset=specs.key(t),
            description="What the two sides differ by is explained to the cent, each finding by an exception code.",
        )
        for t in forms
    ] + [
        dg.AssetCheckSpec(
            UNBLOCKED,
            asset=specs.key(t),
            blocking=stops_at_blocking,
            description="No blocking exception is open; what is waived, or a matter of timing, does not block.",
        )
        for t in (*forms, QUEUE)
    ]

    @dg.multi_asset(
        name="build",
        specs=[specs.model(m) for m in manifest.models.values()],
        check_specs=[*(specs.check(c) for c in manifest.checks.values() if c.table in manifest.tables), *explained],
        can_subset=True,
        pool="warehouse",
        description="Rebuild and test every mart and reconciliation at the cut; a failed test keeps it unpublished.",
    )
    def build(context: dg.AssetExecutionContext, config: Cut, company: dg.ResourceParam[Company]) -> Iterator[Event]:
        results: list[dict[str, Any]] = []
        with working(company) as home:
            report = build_stage(home, config.date, company.tell, listen=results.append)
            with connect(home) as connection:
                numbers = measures(connection, list(manifest.tables))
                forms_now = {t: _form(connection, t) for t in forms if t in numbers}
                queues = {t: queue_of(connection, t) for t in (*forms, QUEUE) if {t, QUEUE} <= set(numbers)}
        if not report.is_new:
            context.log.info(f"nothing new: figures stand as build {report.build} made and tested them")
        verdicts = [*starmap(_explained, forms_now.items()), *starmap(unblocked, queues.items())]
        for event in (*_events(manifest, report, results, numbers), *verdicts):
            if _is_selected(context, event):
                yield event
        broken = [n for n in report.nodes.values() if n.status == "error"]
        if broken:
            said = "\n".join(f"{n.unique_id}: {n.message}" for n in broken[:20])
            raise dg.Failure(f"{len(broken)} models or tests could not run\n{said}", allow_retries=False)

    return build


def _events(
    manifest: Manifest,
    report: BuildReport,
    results: list[dict[str, Any]],
    numbers: dict[str, dict[str, Any]],
) -> Iterator[Event]:
    """What dagster-dbt makes of a build's results, with our numbers added; what stands says only that it does.

    Tables come in the order in which they follow from each other, as Dagster demands, then checks.
    """
    built: dict[str, Mapping[str, Any]] = {}
    checked: list[dg.AssetCheckResult] = []
    if report.nodes:
        from finpipe.orchestration.translate import translated  # noqa: PLC0415 - imports dbt: only who built pays

        for event in translated(manifest, results):
            if isinstance(event, dg.AssetCheckEvaluation):
                checked.append(_checked(event, report.nodes))
            else:
                built[".".join(event.asset_key.path)] = event.metadata
    cut = {"build": report.build, "as_of": report.as_of.isoformat()}
    for model in manifest.in_order:
        if model.table in numbers and (model.table in built or report.verdict == "passed"):
            said = {**built.get(model.table, {}), **numbers[model.table], **specs.lineage(model), **cut}
            yield dg.MaterializeResult(asset_key=specs.key(model.table), metadata=said)
    yield from checked


def _is_selected(context: dg.AssetExecutionContext, event: Event) -> bool:
    if isinstance(event, dg.AssetCheckResult):
        if event.asset_key is None or event.check_name is None:
            raise ValueError("a check result of ours names its asset and check")
        return dg.AssetCheckKey(event.asset_key, event.check_name) in context.selected_asset_check_keys
    return event.asset_key in context.selected_asset_keys


def _checked(said: dg.AssetCheckEvaluation, nodes: Mapping[str, Node]) -> dg.AssetCheckResult:
    """A test's result as dagster-dbt tells it; one that did not pass says why in dbt's words.

    dbt's id stands in the check's definition: most are wider than a screen.
    """
    node = nodes.get(str(said.metadata["unique_id"].value))
    why = {"message": node.message} if node and node.message and not said.passed else {}
    return dg.AssetCheckResult(
        asset_key=said.asset_key,
        check_name=said.check_name,
        passed=said.passed,
        severity=said.severity,
        metadata={**why, **{k: v for k, v in said.metadata.items() if k != "unique_id"}},
    )


class Form(NamedTuple):
    """A reconciliation in the controller's form, and the findings that weigh most.

    Their sentences stay in the queue of exceptions: they quote records, and Dagster's events are kept for good.
    """

    figures: list[tuple[Any, ...]]
    findings: list[tuple[Any, ...]]


def _form(connection: duckdb.DuckDBPyConnection, name: str) -> Form:
    relation = ".".join(quoted(part) for part in name.split("."))
    figures = connection.execute(
        "select reconciliation_id, leg, currency, sum(left_amount), sum(right_amount), sum(difference_amount), "
        "sum(explained_amount), sum(difference_amount) - sum(explained_amount), "
        f"count(*) filter (line_kind = 'finding') from {relation} group by all order by all"
    ).fetchall()
    findings = connection.execute(
        f"select code, left_id, right_id, currency, explained_amount from {relation} "
        "where line_kind = 'finding' order by abs(explained_amount) desc nulls last, 1, 2, 3 limit 20"
    ).fetchall()
    return Form(figures, findings)


def _explained(name: str, form: Form) -> dg.AssetCheckResult:
    columns = ["R", "leg", "currency", "left", "right", "difference", "explained", "unexplained", "findings"]
    open_rows = [row for row in form.figures if row[7]]
    return dg.AssetCheckResult(
        asset_key=specs.key(name),
        check_name=EXPLAINED,
        passed=not open_rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "figures": table(columns, form.figures),
            "findings": table(["code", "left", "right", "currency", "amount"], form.findings),
        },
    )
