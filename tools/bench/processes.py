"""finpipe and scripts of SQL as measured processes, and the homes they work in.

Belongs here: how a process is called.  Does not belong here: what it does (``worker``), and in which order they come.
"""

import json
import os
import shutil
from pathlib import Path

from finpipe.settings import PROJECT, Config, Home
from tools.bench.measure import Cost, environment, spawn

#: The demo company ends on this day.
AS_OF = "2024-12-31"
_FINPIPE = ["-c", "from finpipe.cli import main; main()"]
#: ``finpipe run`` ends with 3 where there are findings.
_DONE = (0, 3)


def instance(work: Path) -> None:
    """A Dagster instance of its own, configured as the project's."""
    place = work / "dagster"
    place.mkdir(exist_ok=True)
    said = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    (place / "dagster.yaml").write_text(said.replace(".finpipe/dagster", str(place)), encoding="utf-8")


def fresh(landed: Home, place: Path) -> Path:
    """A home with the same landed files, as links, and an empty warehouse."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(landed.landing, place / "landing", copy_function=os.link)
    return place


def run_script(work: Path, kind: str, script: Path, folder: Path) -> Cost:
    """A script of SQL in a process that imports DuckDB alone, with finpipe's threads and all the memory it wants."""
    config = {
        "threads": Config().threads,
        "preserve_insertion_order": False,
        "temp_directory": str(folder / "spill"),
    }
    return run_worker(work, folder, [kind, str(script), str(folder / "warehouse.duckdb"), json.dumps(config)])


def run_worker(work: Path, home: Path, arguments: list[str]) -> Cost:
    """One process of ``worker``, told its kind and what that needs."""
    # The file and not the module: naming the module would import the package, and the package finpipe.
    script = str(Path(__file__).with_name("worker.py"))
    environ = environment(work, home) | {"PYTHONPATH": str(PROJECT)}
    return spawn([script, *arguments], environ, PROJECT, work / f"{home.name}.log")


def run_finpipe(work: Path, home: Path, name: str, as_of: str = AS_OF) -> Cost:
    """``finpipe run`` over a home."""
    return spawn([*_FINPIPE, "run", "--as-of", as_of], environment(work, home), PROJECT, work / f"{name}.log", _DONE)
