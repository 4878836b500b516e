"""Jobs and their schedule.

Belongs here: which assets run together and when.  Does not belong here: assets.
"""

import dagster as dg

from finpipe.orchestration.specs import CONFORM_TABLES, DBT_STAGES, RESTATED

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
    "load_extracts": (_LOADED, "Take in new extracts; a broken mart cannot delay this."),
    "build_marts": (_BUILT, "Conform what is loaded, rebuild and test the marts; publishes nothing."),
    "publish_snapshot": (
        dg.AssetSelection.groups("published") - _RESTATED,
        "Publish the last build, if its audit passed.",
    ),
    "backfill_periods": (_RESTATED, "Compare published figures of periods with recomputed ones; commit on demand."),
}

JOBS = [
    dg.define_asset_job(
        name,
        selection,
        description=about,
        executor_def=dg.in_process_executor,
    )
    for name, (selection, about) in _SELECTED.items()
]

SCHEDULES = [
    dg.ScheduleDefinition(
        name="run_pipeline_every_15_minutes",
        target=JOBS[0],
        cron_schedule="*/15 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="The micro-batch: loads what is new and costs next to nothing when there is nothing. Off at first.",
    )
]
