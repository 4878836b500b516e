"""Where each stage's time goes: one profile per stage, of one process without Dagster.

Belongs here: running a stage under ``cProfile`` and summing what it saw by package and by our own functions.
Does not belong here: costs that are compared; a profile makes Python look dearer than it is.
"""

import cProfile
import pstats
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from finpipe.settings import PROJECT

#: Entries of each list that is kept.
MOST = 7
_OURS = str(PROJECT / "finpipe")


class Entry(NamedTuple):
    """Seconds of a package or function, of so many in its stage."""

    name: str
    seconds: float
    calls: int


class Stage(NamedTuple):
    """One stage: seconds, own time by package, our functions by the time spent below them, and the slowest models."""

    name: str
    seconds: float
    packages: list[Entry]
    functions: list[Entry]
    models: list[Entry]


def profile_stages(root: str, files: str, as_of: str) -> list[Stage]:
    """Land, load, conform, build and publish in an empty home, each under its own profile; imports where first paid."""
    from finpipe import ingest  # noqa: PLC0415
    from finpipe.settings import Home  # noqa: PLC0415
    from finpipe.systems import find_systems  # noqa: PLC0415
    from finpipe.warehouse import connect  # noqa: PLC0415

    home, found = Home(Path(root)), list[Stage]()
    home.root.mkdir(parents=True, exist_ok=True)
    # A profile sees the threads of Python, not those of DuckDB.
    (home.root / "finpipe.toml").write_text("threads = 1\n", encoding="utf-8")

    def land() -> None:
        for system in find_systems(home).values():
            if (Path(files) / system.name).is_dir():
                ingest.land(home, system, [Path(files) / system.name])

    def load() -> None:
        with ingest.open_raw(home) as (connection, _):
            ingest.load(home, connection, find_systems(home))

    def conform() -> None:
        from finpipe.conform import conform  # noqa: PLC0415

        with ingest.open_warehouse(home) as (connection, _):
            conform(home, connection, find_systems(home))
            ingest.refresh_row_accounts(home, connection)

    def build() -> dict[str, float]:
        from finpipe.build import build  # noqa: PLC0415

        return {n.unique_id: n.seconds for n in build(home, date.fromisoformat(as_of)).nodes.values()}

    def publish() -> None:
        from finpipe.build import latest_build  # noqa: PLC0415
        from finpipe.orchestration.stamps import stamps_of  # noqa: PLC0415
        from finpipe.publish import publish  # noqa: PLC0415

        with connect(home) as connection:
            if (built := latest_build(connection)) is None:
                raise RuntimeError("there is no build")
            publish(home, connection, stamps_of(connection, built))

    stages: list[Callable[[], Any]] = [land, load, conform, build, publish]
    for stage in stages:
        with _profiled() as seen:
            said = stage()
        found.append(_stage(stage.__name__, pstats.Stats(*seen), said or {}))
    return found


def told(stages: list[Stage]) -> dict[str, Any]:
    """Stages as JSON holds them."""
    return {s.name: {**s._asdict()} for s in stages}


def heard(said: dict[str, Any]) -> list[Stage]:
    """Stages out of what ``told`` made."""
    lists = ("packages", "functions", "models")
    return [Stage(s["name"], s["seconds"], *([Entry(*e) for e in s[k]] for k in lists)) for s in said.values()]


@contextmanager
def _profiled() -> Iterator[list[cProfile.Profile]]:
    """Profiles of this thread and of those that begin meanwhile, each by the CPU of its own thread."""
    seen = [cProfile.Profile(time.thread_time)]

    def begin(*_: object) -> None:
        seen.append(cProfile.Profile(time.thread_time))
        seen[-1].enable()

    threading.setprofile(begin)
    seen[0].enable()
    try:
        yield seen
    finally:
        seen[0].disable()
        threading.setprofile(None)


def _stage(name: str, stats: pstats.Stats, models: dict[str, float]) -> Stage:
    told: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined]
    packages: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])
    functions = []
    for (path, _line, function), (_, calls, own, below, _callers) in told.items():
        package = _package(path, function)
        packages[package][0] += own
        packages[package][1] += calls
        if path.startswith(_OURS):
            module = Path(path).relative_to(PROJECT).with_suffix("").as_posix().replace("/", ".")
            functions.append(Entry(f"{module.removeprefix('finpipe.')}.{function}", below, calls))
    return Stage(
        name,
        sum(own for _, _, own, _, _ in told.values()),
        _top(Entry(k, s, int(n)) for k, (s, n) in packages.items()),
        _top(e for e in functions if not e.name.endswith((">", ".wrapper"))),
        _top(Entry(k.split(".")[2], s, 1) for k, s in models.items() if k.startswith("model.")),
    )


def _top(entries: Iterator[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: -e.seconds)[:MOST]


def _package(path: str, function: str) -> str:
    """The package of a function: a library's name, ``finpipe``, ``python`` for what comes with it."""
    if path.startswith(_OURS):
        return "finpipe"
    parts = Path(path).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if "marshal" in function or "importlib" in path or "_imp." in function:
        return "python: imports"
    for word in ("duckdb", "polars", "orjson", "msgpack", "rapidfuzz"):
        if word in function.lower():
            return word
    return "python"
