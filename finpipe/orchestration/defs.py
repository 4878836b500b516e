"""Everything Dagster is told, for one company.

Belongs here: putting the parts together.  Does not belong here: any part.
"""

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from finpipe.build import kept
from finpipe.build.manifest import KEPT
from finpipe.observe import rules_of
from finpipe.orchestration.build import build_assets
from finpipe.orchestration.company import Company
from finpipe.orchestration.conform import conform_assets
from finpipe.orchestration.freshness import due
from finpipe.orchestration.inbox import inbox_sensor
from finpipe.orchestration.jobs import jobs_of, schedules_of
from finpipe.orchestration.load import load_assets
from finpipe.orchestration.observe import freshness_checks, freshness_sensor, watched
from finpipe.orchestration.publish import publish_assets
from finpipe.orchestration.restate import restate_assets
from finpipe.policy import policy_of
from finpipe.settings import Home
from finpipe.systems import find_systems


def build_defs(
    home: Home | None = None,
    tell: Callable[[str, str], None] | None = None,
    manifest: Path = KEPT,
) -> dg.Definitions:
    """Definitions for a home (default: the environment's); reads descriptions, writes nothing."""
    home = home or Home.from_environment()
    company = Company(home, tell) if tell else Company(home)
    systems = find_systems(home)
    models = kept(manifest)
    policy = policy_of(home)
    built = build_assets(models, stops_at_blocking=policy.stops_at_blocking)
    assets = [load_assets(systems), conform_assets(systems), built, publish_assets(models), restate_assets()]
    checks = watched(systems)
    jobs = jobs_of([w.spec.key for w in checks])
    return dg.Definitions(
        assets=dg.map_asset_specs(due(systems, rules_of(policy, systems)), assets),
        asset_checks=[freshness_checks(company, checks)],
        jobs=jobs,
        schedules=schedules_of(jobs),
        sensors=[inbox_sensor(company, jobs[0], jobs[1]), freshness_sensor(company, checks)],
        resources={"company": company},
        executor=dg.in_process_executor,
    )
