"""When each asset is late, as Dagster's own freshness policies show it.

Belongs here: Dagster's words for what each system promises (``[due]`` of its ``system.toml``).
Does not belong here: whether what came is new.  A policy sees only when an asset was last materialised, and a load of
nothing counts as well, and knows weekends but no holidays; the checks of ``observe`` know both.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

import dagster as dg

from finpipe.observe import Rules
from finpipe.observe.due import Due
from finpipe.orchestration.specs import PUBLISHED, RESTATED
from finpipe.systems import System

#: Figures are as old as the oldest they may be: these groups follow the systems that deliver most often.
FIGURES = ("canonical", "reconciliation", "marts", PUBLISHED.path[0])
#: Days between two deadlines at most, and then one more until a policy fails.
_LONGEST_DAYS = {"weekly": 7, "monthly": 31}

Given = Callable[[dg.AssetSpec], dg.AssetSpec]


def due(systems: dict[str, System], rules: Rules) -> Given:
    """The map that gives each landed, raw, canonical, built and published asset its policy.

    A system that another replaces delivers no more, so nothing of it is ever late.
    """
    silent = {system.replaces for system in systems.values()}
    owed = {n: d for n, d in rules.systems.items() if n not in silent and d.cadence != "none"}
    tightest = min(owed.values(), key=_tightness, default=None)

    def given(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.key == RESTATED:  # somebody asks for it, or nobody does
            return spec
        name = spec.key.path[-1] if spec.group_name == "landing" else spec.key.path[0].removeprefix("raw_")
        mine = tightest if spec.group_name in FIGURES else owed.get(name)
        if mine and spec.group_name in ("landing", "raw", *FIGURES):
            return spec.replace_attributes(freshness_policy=policy(mine))
        return spec

    return given


def policy(owed: Due) -> dg.FreshnessPolicy:
    """Daily: by the deadline of each day that is worked. Else: within the longest time between two deadlines."""
    if owed.cadence == "daily":
        days = ",".join(str(d % 7) for d in range(1, 8) if d not in owed.calendar.weekend)
        cron = f"{owed.by.minute} {owed.by.hour} * * {days}"
        return _by_the_clock(cron, owed.calendar.timezone.key)
    longest = timedelta(days=_LONGEST_DAYS[owed.cadence] + 3 + owed.working_day * 2)
    return dg.FreshnessPolicy.time_window(longest + timedelta(days=1), longest)


@cache
def _by_the_clock(cron: str, timezone: str) -> dg.FreshnessPolicy:
    """Made once for all assets: Dagster plays a thousand deadlines through for each policy, 15 ms of CPU."""
    return dg.FreshnessPolicy.cron(cron, timedelta(hours=24), timezone)


def _tightness(owed: Due) -> tuple[int, int, str]:
    return ["daily", "weekly", "monthly"].index(owed.cadence), owed.working_day, owed.by.isoformat()
