"""Jobs and their schedule.

Belongs here: which assets run together, when, and who goes first.  Does not belong here: assets.
All that write the warehouse wait for its pool, one at a time; of those that wait, micro-batches go first and reporting
last. A load waits for none of them: it writes a file of its own.
"""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from finpipe.orchestration.specs import CONFORM_TABLES, DBT_STAGES, RESTATED

#: A job that resolves once the assets are known.
Job = UnresolvedAssetJobDefinition
#: Books that CONFORM keeps, though they stand in the ledger.
_ACCOUNTS = dg.AssetSelection.assets(*(dg.AssetKey(t.split(".")) for t in CONFORM_TABLES if t.startswith("ledger.")))
_RESTATED = dg.AssetSelection.assets(RESTATED)
_LOADED = dg.AssetSelection.groups("landing", "raw", "ledger") - _ACCOUNTS
_BUILT = dg.AssetSelection.groups("canonical", *DBT_STAGES) | _ACCOUNTS
_SELECTED = {
    "run_pipeline": (
        dg.AssetSelection.all() - _RESTATED,
        "Land, load, conform, build, audit and publish: the whole line.",
    ),
    "load_extracts": (
        _LOADED,
        "Take in new extracts, also while marts are built: the next micro-batch goes on from there.",
    ),
    "build_marts": (_BUILT, "Conform what is loaded, rebuild and test the marts; publishes nothing."),
    "publish_snapshot": (
        dg.AssetSelection.groups("published") - _RESTATED,
        "Publish the last build, if its audit passed.",
    ),
    "backfill_periods": (_RESTATED, "Compare published figures of periods with recomputed ones; commit on demand."),
}

MICRO_BATCH = "run_pipeline"
#: Higher goes first; runs without one have 0.
PRIORITIES = {
    "load_extracts": "20",
    MICRO_BATCH: "10",
    "publish_snapshot": "-5",
    "build_marts": "-10",
    "backfill_periods": "-20",
}
#: A run of reporting that takes longer than this hangs: it is ended, so that micro-batches do not wait for ever.
_LONGEST_REPORTING_SECONDS = "7200"
_REPORTING = ("build_marts", "publish_snapshot")


def jobs_of(watched: Sequence[dg.AssetCheckKey]) -> list[Job]:
    """The jobs, the micro-batch first. The checks that a sensor records are in none: they only look."""
    looks = dg.AssetSelection.checks(*watched)
    return [
        dg.define_asset_job(
            name,
            selection - looks,
            description=about,
            executor_def=dg.in_process_executor,
            tags={
                "dagster/priority": PRIORITIES[name],
                **({"dagster/max_runtime": _LONGEST_REPORTING_SECONDS} if name in _REPORTING else {}),
            },
        )
        for name, (selection, about) in _SELECTED.items()
    ]


def schedules_of(jobs: Sequence[Job]) -> list[dg.ScheduleDefinition]:
    """What runs by the clock."""
    return [
        dg.ScheduleDefinition(
            name="run_pipeline_every_15_minutes",
            target=jobs[0],
            cron_schedule="*/15 * * * *",
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.STOPPED,
            description="The fallback of the sensor: the same micro-batch, new files or not. Off at first.",
        )
    ]
