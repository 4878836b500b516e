"""When each asset is late, as Dagster's own freshness policies show it.

Belongs here: windows in whole hours, from what each system promises (``[due]`` of its ``system.toml``).
Does not belong here: whether what came is new.  A policy sees only when an asset was last materialised, and a load of
nothing counts as well; the newest row of each table stands beside it as metadata.
"""

from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from finpipe.orchestration.specs import PUBLISHED, RESTATED
from finpipe.systems import System

#: What is expected of a system that promises nothing.
CADENCE_HOURS, LATENESS_HOURS = 24, 12
#: Figures are as old as the oldest they may be: these groups follow the system that delivers most often.
FIGURES = ("canonical", "reconciliation", "marts", PUBLISHED.path[0])

Due = Callable[[dg.AssetSpec], dg.AssetSpec]


def due(systems: dict[str, System]) -> Due:
    """The map that gives each landed, raw, canonical, built and published asset its policy.

    A system that another replaces delivers no more, so nothing of it is ever late.
    """
    silent = {system.replaces for system in systems.values()}
    windows = {name: window(system) for name, system in systems.items() if name not in silent}
    tightest = min(windows.values(), key=sum, default=(CADENCE_HOURS, LATENESS_HOURS))

    def given(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.key == RESTATED:  # somebody asks for it, or nobody does
            return spec
        if spec.group_name in FIGURES:
            return spec.replace_attributes(freshness_policy=_policy(*tightest))
        system = spec.key.path[-1] if spec.group_name == "landing" else spec.key.path[0].removeprefix("raw_")
        if spec.group_name in ("landing", "raw") and system in windows:
            return spec.replace_attributes(freshness_policy=_policy(*windows[system]))
        return spec

    return given


def window(system: System) -> tuple[int, int]:
    """Hours between two deliveries, and hours that one may be late."""
    said = system.settings.get("due", {})
    return int(said.get("cadence_hours", CADENCE_HOURS)), int(said.get("lateness_hours", LATENESS_HOURS))


def _policy(cadence: int, lateness: int) -> dg.FreshnessPolicy:
    """Failed once it is later than it may be; a warning halfway between due and that."""
    warn = cadence + lateness // 2
    fail = cadence + lateness
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=fail), warn_window=timedelta(hours=warn) if 0 < warn < fail else None
    )
