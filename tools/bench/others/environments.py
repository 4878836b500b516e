"""Throw-away environments: one for each file of pinned versions beside this module.

Belongs here: making them, and what is said when one cannot be made.  Not measured.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_LONGEST = 900  # seconds an installation may take


@dataclass(frozen=True)
class Environment:
    """Where a set of packages lies, or why it could not be installed."""

    folder: Path
    problem: str = ""

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    def program(self, name: str) -> str:
        """One of its commands."""
        return str(self.folder / "bin" / name)

    def find(self, pattern: str) -> Path:
        """A file that a package brought."""
        return next(self.folder.glob(f"lib/python*/site-packages/{pattern}"))


def install(name: str, below: Path) -> Environment:
    """Install one file of pinned versions, or tell why that fails here; what is installed already stays."""
    folder = below / name
    if (folder / "installed").exists():
        return Environment(folder)
    made = _call([sys.executable, "-m", "venv", "--clear", str(folder)])
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    problem = made or _call([*pip, "--no-deps", "--require-hashes", "-r", str(_HERE / f"{name}.lock")])
    if not problem:
        (folder / "installed").touch()
    return Environment(folder, problem)


def versions(name: str, packages: tuple[str, ...]) -> str:
    """The pinned versions of some packages, as a list within a sentence."""
    pinned = dict(
        line.split(" ")[0].split("==")
        for line in (_HERE / f"{name}.lock").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    )
    return ", ".join(f"{package} {pinned[package]}" for package in packages)


def _call(command: list[str]) -> str:
    """Run a command; nothing when it succeeds, else the last it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return f"not installed within {_LONGEST} seconds"
    said = [line for line in (done.stderr or done.stdout).splitlines() if "WARNING" not in line]
    return "" if done.returncode == 0 else (said or ["no word"])[-1][:200]
