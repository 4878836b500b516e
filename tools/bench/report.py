"""What a run of the benchmark says: on screen, as JSON, in docs/performance.md.

Belongs here: ratios and their names.  Does not belong here: judging them; targets stand beside, nothing fails.
"""

import os
import platform
from importlib.metadata import version
from typing import Any

from tools.bench.run import Results

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_GIGABYTE = 1024**3
_NAMES = {
    "limit": "(a) limit: DuckDB reads the files natively",
    "load": "(b) finpipe's LOAD",
    "hand": "(c) by hand: the same SQL in DuckDB, models and tests",
    "whole": "(d) `finpipe run`, cold",
    "again": "(e) `finpipe run` with nothing new",
    "stages": "(f) the stages of (d) without Dagster",
}


def facts(results: Results) -> dict[str, Any]:
    """Everything that was measured."""
    costs = {
        name: {
            "cpu": [round(c.cpu, 2) for c in found.runs],
            "wall": [round(c.wall, 2) for c in found.runs],
            "peak_memory_bytes": found.memory,
            "facts": {k: round(found.fact(k), 2) for k in found.runs[0].facts},
        }
        for name, found in results.costs.items()
    }
    return {
        "machine": machine(),
        "scale": results.scale,
        "rows": results.rows,
        "bytes": results.bytes,
        "totals": results.totals,
        "ratios": ratios(results),
        "costs": costs,
    }


def machine() -> dict[str, Any]:
    """What figures depend on; no names, no paths."""
    packages = ("duckdb", "dlt", "polars", "pandera", "dbt-core", "dbt-duckdb", "dagster")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{p: version(p) for p in packages},
    }


def ratios(results: Results) -> dict[str, float]:
    """The figures that targets are set for."""
    c = results.costs
    models = c["hand"].cpu - c["hand"].fact("tests")
    return {
        "load / limit (CPU, target 3)": round(c["load"].cpu / c["limit"].cpu, 2),
        "whole / by hand (CPU, target 3)": round(c["whole"].cpu / c["hand"].cpu, 2),
        "whole / by hand without tests (CPU)": round(c["whole"].cpu / models, 2),
        "whole / by hand (wall)": round(c["whole"].wall / c["hand"].wall, 2),
        "peak memory of load (GB, target 1.5)": round(c["load"].memory / _GIGABYTE, 2),
        "peak memory of whole (GB, target 1.5)": round(c["whole"].memory / _GIGABYTE, 2),
        "run with nothing new (CPU s)": round(c["again"].cpu, 2),
    }


def text(results: Results) -> str:
    """The tables, in markdown."""
    said = machine()
    lines = [
        f"{results.rows:,} rows in {results.bytes / 1e6:,.0f} MB of landed files (scale {results.scale:g}); "
        f"{said.pop('cores')} cores, {said.pop('memory_gb')} GB, {said.pop('system')}; "
        + ", ".join(f"{k} {v}" for k, v in said.items())
        + ".",
        "",
        "| way | CPU s, median (least to most) | wall s | peak memory GB |",
        "|---|---:|---:|---:|",
    ]
    for name, found in results.costs.items():
        least, most = found.spread
        lines.append(
            f"| {_NAMES[name]} | {found.cpu:.1f} ({least:.1f} to {most:.1f}) | {found.wall:.1f} "
            f"| {found.memory / _GIGABYTE:.2f} |"
        )
    lines += ["", "| ratio or figure | value |", "|---|---:|"]
    lines += [f"| {name} | {value:.2f} |" for name, value in ratios(results).items()]
    for name in ("hand", "stages"):
        lines += ["", f"| {_NAMES[name]}: phase | CPU s |", "|---|---:|"]
        lines += [f"| {k} | {results.costs[name].fact(k):.2f} |" for k in results.costs[name].runs[0].facts]
    return "\n".join(lines) + "\n"
