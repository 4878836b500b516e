"""Whether this installation can do its work: the machine, the environment, the home and its rights.

Belongs here: checks that need no data and change nothing.  Does not: whether figures are right (``verify``).
Every check says what it saw and, when it is not well, what to do.
"""

import json
import os
import re
import shutil
import stat
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from finpipe.errors import BusyError, FinpipeError
from finpipe.settings import PROJECT, Home
from finpipe.systems import broken_systems, find_systems
from finpipe.warehouse import raw_lock, write_lock

#: Space that a run needs at least: landing, the working database and a publication grow side by side.
LEAST_FREE_BYTES = 1_000_000_000
#: A clock may be this far behind the newest landed file before that is a sign of a wrong clock.
CLOCK_TOLERANCE = timedelta(minutes=5)
_PYTHON = ((3, 11), (3, 14))
_PACKAGES = ("dagster", "dagster-dbt", "dbt-core", "dbt-duckdb", "duckdb", "dlt", "polars", "pandera")
#: Files that may hold secrets, in the home and in the project.
_SECRETS = ("finpipe.toml", "secrets.toml", ".dlt/secrets.toml", ".env")


@dataclass(frozen=True)
class Finding:
    """What one check saw: ``well``, ``warning`` or ``failed``; ``fix`` is empty when all is well."""

    check: str
    state: str
    saw: str
    fix: str = ""


def examine(home: Home) -> list[Finding]:
    """Every check, in order; a check that breaks is itself a finding."""
    found: list[Finding] = []
    for check in _CHECKS:
        name = check.__name__.strip("_").replace("_", " ")
        try:
            found += [Finding(name, *said) for said in check(home)]
        except (FinpipeError, OSError) as problem:
            where = getattr(problem, "where", "") or getattr(problem, "filename", "") or ""
            fix = getattr(problem, "fix", "") or "make the file readable for the user that runs finpipe"
            found.append(Finding(name, "failed", f"{problem} {where}".strip(), fix))
    return found


Said = Iterator[tuple[str, str, str]]


def _python(_: Home) -> Said:
    here = sys.version_info[:2]
    saw = f"Python {sys.version.split()[0]}"
    if _PYTHON[0] <= here < _PYTHON[1]:
        yield "well", saw, ""
    else:
        yield "failed", saw, "use Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 demo"


def _packages(_: Home) -> Said:
    lock = PROJECT / "requirements.lock"
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock.read_text("utf-8"), re.M)) if lock.exists() else {}
    other = []
    for name in _PACKAGES:
        try:
            there = version(name)
        except PackageNotFoundError:
            yield "failed", f"{name} is not installed", "make demo installs the locked environment"
            continue
        if name in locked and there != locked[name]:
            other.append(f"{name} {there} (locked: {locked[name]})")
    if other:
        yield "warning", ", ".join(other), "rm -rf .venv and make demo, to have what is tested"
    else:
        yield "well", "what requirements.lock names is installed", ""


def _home(home: Home) -> Said:
    place = _existing(home.root)
    if not os.access(place, os.W_OK | os.X_OK):
        yield "failed", f"{place} cannot be written", "give it to the user that runs finpipe, or set FINPIPE_HOME"
    elif home.root.exists() and home.root.stat().st_mode & stat.S_IWOTH:
        yield "warning", f"{home.root} can be written by everybody", f"chmod o-w {home.root}"
    else:
        yield "well", str(home.root), ""


def _disk(home: Home) -> Said:
    free = shutil.disk_usage(_existing(home.root)).free
    stored = sum(path.stat().st_size for path in (home.raw, home.warehouse) if path.exists())
    needed = max(LEAST_FREE_BYTES, 3 * stored)
    saw = f"{free / 1e9:,.1f} GB free, a run may need {needed / 1e9:,.1f} GB"
    if free < needed:
        yield "failed", saw, "make room, or lower keep_publications in finpipe.toml"
    else:
        yield "well", saw, ""


def _one_file_system(home: Home) -> Said:
    devices = {_existing(p).stat().st_dev for p in (home.landing, home.published, home.scratch)}
    if len(devices) > 1:
        yield "failed", "landing, published and tmp lie on different file systems", "put all of FINPIPE_HOME on one"
    else:
        yield "well", "landing, published and tmp lie on one file system, so a rename is one step", ""


def _configuration(home: Home) -> Said:
    systems = find_systems(home)
    _ = home.config
    for name, problem in broken_systems(home).items():
        yield "failed", f"{name} is set aside: {problem.where}: {problem.got}", problem.fix
    yield "well", f"{len(systems)} systems: {', '.join(sorted(systems))}", ""


def _lock(home: Home) -> Said:
    if not home.root.exists():
        yield "well", "nothing has run here yet", ""
        return
    try:
        with write_lock(home), raw_lock(home):
            yield "well", "nobody is writing", ""
    except BusyError as problem:
        yield "warning", f"a run is writing: {problem.got}", "wait until it ends; a lock dies with its process"


def _left_overs(home: Home) -> Said:
    found = [p for kind in ("load-*", "fetch-*") for p in home.scratch.glob(kind)]
    found += [p for kind in (".draft-*", ".gone-*") for p in home.published.glob(kind)]
    if found:
        yield "warning", f"{len(found)} folders of runs that were stopped", "the next finpipe run sweeps them"
    else:
        yield "well", "nothing is left over from stopped runs", ""


def _publication(home: Home) -> Said:
    current = home.published / "current"
    if not current.is_symlink():
        yield "warning", "nothing is published yet", "finpipe land SYSTEM PATH, then finpipe run"
    elif not (current / "manifest.json").exists() or not (current / "finance.duckdb").exists():
        yield "failed", f"{current} points at nothing whole", "finpipe publications, then finpipe roll-back NUMBER"
    else:
        said = json.loads((current / "manifest.json").read_text("utf-8"))
        yield "well", f"publication {said['publication']} as of {said['as_of']}", ""


def _clock(home: Home) -> Said:
    now = datetime.now(UTC)
    newest = max(
        (json.loads(p.read_text("utf-8"))["received_at"] for p in home.landing.glob("*/*/*/*.json") if _is_manifest(p)),
        default=None,
    )
    if newest and datetime.fromisoformat(newest) > now + CLOCK_TOLERANCE:
        saw = f"it is {now:%Y-%m-%d %H:%M} UTC, but a file was landed at {newest}"
        yield "failed", saw, "correct the machine's clock (timedatectl)"
    else:
        yield "well", f"{now:%Y-%m-%d %H:%M} UTC", ""


def _telemetry(_: Home) -> Said:
    said = _instance()
    if not re.search(r"^telemetry:\n\s+enabled: false", said.read_text("utf-8") if said.exists() else "", re.M):
        yield "warning", f"{said} does not switch telemetry off", "telemetry: {enabled: false}"
    else:
        yield "well", "off for dagster; dbt and dlt are started with it off", ""


def _dead_runs(_: Home) -> Said:
    """A run that is killed with its code server must be noticed, or it holds the warehouse for ever."""
    said = _instance()
    text = said.read_text("utf-8") if said.exists() else ""
    if "finpipe.orchestration.launcher" in text and re.search(r"^run_monitoring:\n\s+enabled: true", text, re.M):
        yield "well", "a run whose process is gone is ended and tried again", ""
    else:
        yield (
            "warning",
            f"{said} does not say who notices a killed run",
            "take run_launcher, run_monitoring and run_retries from the project's dagster.yaml",
        )


def _secrets(home: Home) -> Said:
    kept = [folder / name for folder in (home.root, PROJECT) for name in _SECRETS]
    kept += sorted(home.extra_sources.glob("*/system.toml")) if home.extra_sources else []
    exposed = [
        path
        for path in kept
        if path.is_file() and path.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP) and _holds_secret(path)
    ]
    for path in exposed:
        yield "failed", f"{path} holds a secret and others can read it", f"chmod 600 {path}"
    if not exposed:
        yield "well", "no file with a secret is open to others", ""


_CHECKS: tuple[Callable[[Home], Said], ...] = (
    _python,
    _packages,
    _home,
    _disk,
    _one_file_system,
    _configuration,
    _lock,
    _left_overs,
    _publication,
    _clock,
    _telemetry,
    _dead_runs,
    _secrets,
)


def _instance() -> Path:
    """The ``dagster.yaml`` in use."""
    return Path(os.environ.get("DAGSTER_HOME") or PROJECT) / "dagster.yaml"


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(p for p in (path, *path.parents) if p.exists())


def _is_manifest(path: Path) -> bool:
    return not path.name.endswith(".data.json")


def _holds_secret(path: Path) -> bool:
    """Whether a file states a password, token or key: in a TOML file under such a name, elsewhere by its lines."""
    text = path.read_text("utf-8", errors="replace")
    try:
        names = _names(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        names = (line.split("=", 1)[0] for line in text.splitlines() if "=" in line)
    return any(re.search(r"password|passwd|secret|token|api_?key|credential|://[^/]+:[^/]+@", n, re.I) for n in names)


def _names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and inner:
                yield f"{name} {inner}" if "://" in inner else name
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)
