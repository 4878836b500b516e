"""A thin code location for the proof under Dagster: the real steps ``load`` and ``conform``, sensor, pool and tags,
one small system.

The names and parts are finpipe's own; only pauses are shorter, so that a trial takes seconds and not minutes.
"""

import dagster as dg

from finpipe.orchestration import inbox
from finpipe.orchestration.company import Company
from finpipe.orchestration.conform import conform_assets
from finpipe.orchestration.jobs import MICRO_BATCH, PRIORITIES
from finpipe.orchestration.load import load_assets
from finpipe.settings import Home

inbox.SECONDS_BETWEEN_TICKS, inbox.SETTLE_SECONDS = 2, 0
inbox.RETRIED_WITHIN_SECONDS = 15
inbox.FIRST_RETRY_SECONDS, inbox.LAST_RETRY_SECONDS = 5, 10


def _defs() -> dg.Definitions:
    company = Company(Home.from_environment())
    deals = {"deals": company.systems["deals"]}
    load, conform = load_assets(deals), conform_assets(deals)
    batch, beside = (
        dg.define_asset_job(
            name,
            dg.AssetSelection.assets(*assets),
            executor_def=dg.in_process_executor,
            tags={"dagster/priority": PRIORITIES[name]},
        )
        for name, assets in ((MICRO_BATCH, (load, conform)), (inbox.LOAD, (load,)))
    )
    return dg.Definitions(
        assets=[load, conform],
        jobs=[batch, beside],
        sensors=[inbox.inbox_sensor(company, batch, beside)],
        resources={"company": company},
        executor=dg.in_process_executor,
    )


defs = _defs()
