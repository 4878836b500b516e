"""The pipeline as a black box: a company's extracts go in at the command line, a published snapshot comes out.

Belongs here: calls of the ``finpipe`` command in a throw-away home. Does not: an import of anything it does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from finpipe.demo.out import DemoError

_COMMAND = (sys.executable, "-P", "-c", "from finpipe.cli import main; main()")
_DONE = (0, 3)  # done, done with findings
_LONGEST = 3600  # seconds a command may take


def publish(company: Path, home: Path, cut: str) -> Path:
    """Land a generated company in an empty home, run the pipeline as of the cut, return the published database.

    Raises DemoError with what the command said when it fails.
    """
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(company / "finpipe.toml", home / "finpipe.toml")
    for folder in sorted((company / "extracts").iterdir()):
        _call(home, "land", folder.name, str(folder))
    _call(home, "run", "--as-of", cut)
    return home / "published" / "current" / "finance.duckdb"


def publish_drops(company: Path, home: Path, cut: str, runs: int, told: Callable[[str], None]) -> list[str]:
    """Land a company's drops one after the other, with as many runs on the way as said and one at the end.

    A drop's ``finpipe.toml`` is put in force before what came until the next run is landed. Returns what the last run
    still had to say of files that it could not read, one sentence each.
    Raises DemoError with what the command said when it fails.
    """
    home.mkdir(parents=True, exist_ok=True)
    drops = sorted(path for path in (company / "drops").iterdir() if path.is_dir())
    ends = sorted({len(drops) * n // max(runs, 1) for n in range(1, max(runs, 1) + 1)} - {0})
    said = "{}"
    for begin, end in zip([0, *ends], ends, strict=False):
        stretch = drops[begin:end]
        for settings in (drop / "finpipe.toml" for drop in stretch if (drop / "finpipe.toml").exists()):
            shutil.copy(settings, home / "finpipe.toml")
        for system in sorted({p.name for drop in stretch for p in drop.iterdir() if p.is_dir()}):
            _call(home, "land", system, *(str(d / system) for d in stretch if (d / system).is_dir()))
        as_of = cut if end == len(drops) else min(_last_day(stretch[-1].name), cut)
        told(f"{end} of {len(drops)} drops landed; run as of {as_of}")
        said = _call(home, "run", "--as-of", as_of, "--json")
    return [f"{f['system']}/{f['file']}: {f['reason']}" for f in json.loads(said).get("refused_files", [])]


def _last_day(drop: str) -> str:
    """Return the last day a drop tells of: its own, or the last of its month."""
    if len(drop) > len("2023-01"):
        return drop[:10]
    first = date.fromisoformat(f"{drop}-01")
    return str((first + timedelta(days=32)).replace(day=1) - timedelta(days=1))


def _call(home: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "FINPIPE_SOURCES"} | {"FINPIPE_HOME": str(home)}
    done = subprocess.run(  # noqa: S603  # our own command, arguments are ours
        [*_COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=_LONGEST, check=False
    )
    if done.returncode not in _DONE:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        raise DemoError(f"finpipe {' '.join(arguments)[:200]} ended with {done.returncode} in {home}: {said}")
    return done.stdout
