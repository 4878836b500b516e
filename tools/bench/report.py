"""What a run of the benchmark says: on screen, as JSON, and as sections of docs/performance.md.

Belongs here: ratios, their names and their tables.  Does not belong here: judging them; targets stand beside, nothing
fails.
"""

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version
from statistics import median
from typing import Any

from tools.bench.measure import Cost, Costs
from tools.bench.others.environments import versions
from tools.bench.others.ways import OTHERS, Other
from tools.bench.plot import Bar, bars
from tools.bench.profiles import Entry, Stage
from tools.bench.results import Results

_GIGABYTE = 1024**3
NAMES = {
    "limit": "(a) DuckDB reads the files natively",
    "load": "(b) finpipe's LOAD",
    "hand": "(c) by hand: the same SQL in DuckDB, models and tests",
    "whole": "(d) `finpipe run`, cold",
    "again": "(e) `finpipe run` with nothing new",
    "stages": "(f) the stages of (d) without Dagster",
}
BATCHES = {
    "full": "everything from nothing, up to the next day",
    "day": "the next day's files alone",
    "correction": "one corrected invoice alone",
    "nothing new": "nothing new",
    "start-up": "the same day of a company of a hundred customers: start-up",
}
#: What one process cost, as one number.
_Figure = Callable[[Cost], float]


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
        "ratios": {name: said for name, _, *said in _ratios(results)},
        "costs": costs,
        "not_counted": results.problems,
        "questions": {k: _times(v) for k, v in results.questions.items()},
        "ticks": {k: _times(v) for k, v in results.ticks.items()},
        "matching": results.matching,
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


def _machine(results: Results) -> str:
    said = machine()
    head = f"scale {results.scale:g}; {said.pop('cores')} cores, {said.pop('memory_gb')} GB, {said.pop('system')}; "
    return head + ", ".join(f"{k} {v}" for k, v in said.items()) + "."


# ── finpipe's own ways and the limits ────────────────────────────────────────────────────────────────────────────


def ways(results: Results) -> str:
    """finpipe beside the limits: costs, ratios, phases."""
    lines = [
        f"{results.rows:,} rows in {results.bytes / 1e6:,.0f} MB of landed files; {_machine(results)}",
        "",
        "| way | CPU s, median (least to most) | wall s | peak memory GB |",
        "|---|---:|---:|---:|",
    ]
    for name in (name for name in NAMES if name in results.costs):
        found, title = results.costs[name], NAMES[name]
        lines.append(f"| {title} | {_spread(found)} | {found.wall:.1f} | {found.memory / _GIGABYTE:.2f} |")
    lines += ["", "| ratio | target | median (least to most) |", "|---|---|---:|"]
    for name, target, middle, least, most in _ratios(results):
        lines.append(f"| {name} | {target} | {middle:.2f} ({least:.2f} to {most:.2f}) |")
    for name in (name for name in ("hand", "stages") if name in results.costs):
        lines += ["", f"| {NAMES[name]}: phase | CPU s |", "|---|---:|"]
        lines += [f"| {k} | {results.costs[name].fact(k):.2f} |" for k in results.costs[name].runs[0].facts]
    return "\n".join(lines) + "\n"


def _ratios(results: Results) -> list[tuple[str, str, float, float, float]]:
    """Name, target, median, least and most of each ratio whose two ways were measured: of each repetition's own two
    processes."""

    def part(*phases: str) -> _Figure:
        return lambda cost: sum(float(cost.facts[p]) for p in phases)

    cpu: _Figure = lambda cost: cost.cpu  # noqa: E731
    asked: list[tuple[str, str, str, str, _Figure, _Figure]] = [
        ("(b) / (a): load against the native read, CPU", "1.5 at scale 10", "load", "limit", cpu, cpu),
        ("(d) / (c): whole against by hand, CPU", "2.5 at scale 1, 1.3 at scale 10", "whole", "hand", cpu, cpu),
        (
            "BUILD and AUDIT against the same models and tests by hand, CPU",
            "1.15 at scale 10",
            "stages",
            "hand",
            part("build"),
            part("models", "tests"),
        ),
        ("(d) / (c), wall", "", "whole", "hand", lambda cost: cost.wall, lambda cost: cost.wall),
    ]
    found = []
    for name, target, one, other, of_one, of_other in asked:
        pairs = zip(*(results.costs[way].runs if way in results.costs else () for way in (one, other)), strict=False)
        if each := [of_one(a) / max(of_other(b), 0.001) for a, b in pairs]:
            found.append((name, target, round(median(each), 2), round(min(each), 2), round(max(each), 2)))
    return found


def _spread(found: Costs) -> str:
    least, most = found.spread
    return f"{found.cpu:.1f} ({least:.1f} to {most:.1f})"


# ── what people would use instead ────────────────────────────────────────────────────────────────────────────────


def others(results: Results) -> str:
    """The tools of others beside finpipe's load and whole."""
    load, whole = results.costs["load"], results.costs["whole"]
    lines = [
        f"{results.rows:,} rows; {_machine(results)}",
        "",
        "| instead | load, CPU s | × finpipe's | with marts, CPU s | × finpipe's | peak memory GB |",
        "|---|---:|---:|---:|---:|---:|",
        f"| finpipe | {_spread(load)} | 1.0 | {_spread(whole)} | 1.0 | {whole.memory / _GIGABYTE:.2f} |",
    ]
    for other in OTHERS:
        title = f"{other.title} ({versions(other.environment, other.packages)})"
        if other.name in results.problems:
            lines.append(f"| {title} | not counted | | | | |")
            continue
        found, marts = results.costs[other.name], results.costs.get(f"{other.name} marts")
        memory = max(found.memory, marts.memory if marts else 0) / _GIGABYTE
        cells = [_spread(found), f"{found.cpu / load.cpu:.1f}"]
        if marts and f"{other.name} marts" not in results.problems:
            built = found.cpu + marts.cpu
            cells += [f"{built:.1f} by {'dbt build' if other.marts == 'dbt' else 'hand'}", f"{built / whole.cpu:.1f}"]
        else:
            cells += ["not counted" if other.marts else "", ""]
        lines.append(f"| {title} | {' | '.join(cells)} | {memory:.2f} |")
    lines += ["", "![CPU seconds of loading, finpipe beside the limit and the others](performance.svg)", ""]
    lines += [f"- {_title(name)}: {why}" for name, why in results.problems.items()]
    return "\n".join(lines).rstrip() + "\n"


def _title(name: str) -> str:
    marts = ", marts" if name.endswith(" marts") else ""
    return next(other.title for other in OTHERS if other.name == name.removesuffix(" marts")) + marts


def plot(results: Results) -> str:
    """CPU seconds of loading, finpipe beside the limit and the others, as SVG."""
    shown = [_bar("DuckDB natively, the limit", results.costs["limit"], "limit")]
    shown.append(_bar("finpipe: with ledger, hashes, checks", results.costs["load"], "ours"))
    counted: list[Other] = [o for o in OTHERS if o.name in results.costs and o.name not in results.problems]
    counted.sort(key=lambda o: results.costs[o.name].cpu)
    shown += [_bar(o.title, results.costs[o.name], "theirs") for o in counted]
    shown += [
        _bar(_title(n), results.costs[n], "wrong") for n in results.problems if n in results.costs and " " not in n
    ]
    return bars(f"Loading {results.rows:,} rows: CPU seconds", "s", shown)


def _bar(label: str, found: Costs, kind: str) -> Bar:
    return Bar(label, found.cpu, *found.spread, kind)


# ── questions, ticks, matching ───────────────────────────────────────────────────────────────────────────────────


def asked(results: Results) -> str:
    """Questions to the snapshot, ticks with nothing new, matching."""
    lines = [
        "| question of the snapshot, with its opening | asked | median ms | p95 ms | p95 CPU ms |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, times in results.questions.items():
        said = _times(times)
        lines.append(f"| {name} | {len(times)} | {said['median_ms']} | {said['p95_ms']} | {said['p95_cpu_ms']} |")
    lines += ["", "| tick with nothing new | ticks | first, CPU ms | median CPU ms |", "|---|---:|---:|---:|"]
    for name, times in results.ticks.items():
        first, middle = round(times[0][1] * 1000), round(median(t[1] for t in times) * 1000)
        lines.append(f"| {name} | {len(times)} | {first} | {middle} |")
    if results.matching:
        lines += [
            "",
            "| customers matched | pairs joined | precision | recall | F1 | CPU s |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for way, m in results.matching.items():
            figures = " | ".join(f"{m[k]:.4f}" for k in ("precision", "recall", "f1"))
            lines.append(f"| {way} | {m['joined']:,} | {figures} | {m['seconds']:.1f} |")
    return "\n".join(lines) + "\n"


def _times(times: Sequence[Sequence[float]]) -> dict[str, float]:
    """Milliseconds: median and 95th percentile of wall, the latter of CPU too."""
    walls, cpus = sorted(t[0] for t in times), sorted(t[1] for t in times)
    at = min(len(times) - 1, int(0.95 * len(times)))
    return {
        "median_ms": round(median(walls) * 1000),
        "p95_ms": round(walls[at] * 1000),
        "p95_cpu_ms": round(cpus[at] * 1000),
    }


# ── a day's batch, profiles ──────────────────────────────────────────────────────────────────────────────────────


def batches(results: Results) -> str:
    """One day and one correction beside everything from nothing, with and without start-up."""
    start, full = results.costs["start-up"].cpu, results.costs["full"].cpu
    lines = [
        f"{results.rows:,} rows on the day; {_machine(results)}",
        "",
        "| run | CPU s, median (least to most) | without start-up | of everything |",
        "|---|---:|---:|---:|",
    ]
    for name, title in BATCHES.items():
        found = results.costs[name]
        own = max(0.0, found.cpu - start)
        lines.append(f"| {title} | {_spread(found)} | {own:.1f} | {own / max(full - start, 0.001):.1%} |")
    return "\n".join(lines) + "\n"


def batch_facts(results: Results) -> dict[str, Any]:
    """What a day's batch cost."""
    cpu = {name: [round(c.cpu, 2) for c in found.runs] for name, found in results.costs.items()}
    return {"rows": results.rows, "totals": results.totals, "cpu": cpu}


def profiles(scale: float, stages: Sequence[Stage]) -> str:
    """The highest entries of one profile per stage."""
    lines = [f"At scale {scale:g}; CPU seconds of the profiled process, in which Python looks dearer than it is."]
    for stage in stages:
        lines += ["", f"**{stage.name.upper()}**, {stage.seconds:.1f} s:", ""]
        lines.append(f"- by package: {_entries(stage.packages)}")
        lines.append(f"- below our functions: {_entries(stage.functions)}")
        if stage.models:
            lines.append(f"- slowest models, wall: {_entries(stage.models)}")
    return "\n".join(lines) + "\n"


def _entries(entries: Sequence[Entry]) -> str:
    return ", ".join(f"`{e.name}` {e.seconds:.2f}" for e in entries)
