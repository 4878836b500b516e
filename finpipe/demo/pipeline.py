"""The pipeline as a black box: a company's extracts go in at the command line, a published snapshot comes out.

Belongs here: calls of the ``finpipe`` command in a throw-away home. Does not: an import of anything it does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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


def _call(home: Path, *arguments: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "FINPIPE_SOURCES"} | {"FINPIPE_HOME": str(home)}
    done = subprocess.run(  # noqa: S603  # our own command, arguments are ours
        [*_COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=_LONGEST, check=False
    )
    if done.returncode not in _DONE:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        raise DemoError(f"finpipe {' '.join(arguments)} ended with {done.returncode} in {home}: {said}")
