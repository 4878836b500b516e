"""Live systems: what a system's ``extract.py`` fetches by SQL or REST is landed before anything else reads it.

Belongs here: running a system's dlt source once and landing its files.  Does not belong here: how to reach a system
(its ``extract.py``, which imports dlt and nothing of ours) and where its credentials come from (the environment).
The contract with ``extract.py``: ``source(settings: dict) -> dlt source, resource or list of them``; a resource is
named after its table. What was fetched lands as one file per resource, in full: later questions are answered from it.
"""

import importlib.util
import os
import shutil
import uuid
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb

from finpipe.errors import FinpipeError, without_secrets
from finpipe.ingest import limits
from finpipe.ingest.land import Landed, land
from finpipe.ingest.read_parquet import as_text
from finpipe.ingest.stage import quiet_dlt
from finpipe.settings import Home
from finpipe.systems import System
from finpipe.warehouse import literal, quoted


def fetch(home: Home, system: System) -> list[Landed]:
    """Run a system's ``extract.py`` and land what it fetched; raises ``FinpipeError`` when it has none or fails."""
    module = module_of(system)
    sweep_fetches(home)
    folder = home.scratch / f"fetch-{os.getpid()}-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        _run(system, module, folder)
        files = [_landable(table, folder) for table in _fetched(folder)]
        return land(home, system, files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep_fetches(home: Home) -> None:
    """Remove the folders of fetches whose process is gone; others may be fetching now."""
    for folder in home.scratch.glob("fetch-*-*"):
        try:
            os.kill(int(folder.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue


def extract_of(system: System) -> Path:
    """Where a live system says how it is reached."""
    return system.folder / "extract.py"


def in_one_line(problem: BaseException) -> str:
    """What went wrong, in one line; secrets go before it is cut, for half of one is not known any more."""
    return without_secrets(f"{type(problem).__name__}: {problem}").split("\n", 1)[0][:300]


def module_of(system: System) -> ModuleType:
    """The system's ``extract.py``, freshly imported; raises ``FinpipeError`` when there is none or it is broken."""
    path = extract_of(system)
    if not path.exists():
        raise FinpipeError(
            f"{system.name} fetches nothing by itself",
            where=str(system.folder),
            got="no extract.py",
            fix="land its files, or add extract.py with source(settings)",
        )
    spec = importlib.util.spec_from_file_location(f"finpipe_source_{system.name}", path)
    if spec is None or spec.loader is None:
        raise FinpipeError("extract.py cannot be imported", where=str(path), fix="check that it is Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        got = in_one_line(problem)
        raise FinpipeError("extract.py cannot be imported", where=str(path), got=got, fix="correct it") from problem
    return module


def _run(system: System, module: ModuleType, folder: Path) -> None:
    """Fetch into files. A fresh pipeline each time: an incremental cursor belongs to landing, not to dlt's state."""
    dlt = quiet_dlt()
    from dlt.pipeline.exceptions import PipelineStepFailed  # noqa: PLC0415

    pipeline = dlt.pipeline(
        pipeline_name=f"fetch_{system.name}",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "bucket").as_uri()),
        dataset_name="fetched",
    )
    try:
        asked = module.source(dict(system.settings))
        info = pipeline.run(asked, loader_file_format="parquet", write_disposition="append")
        info.raise_on_failed_jobs()
    except Exception as problem:  # noqa: BLE001 - code of a system, which may fail in any way
        cause = (problem.__cause__ or problem) if isinstance(problem, PipelineStepFailed) else problem
        # Without the stack: drivers like to put addresses and passwords into theirs.
        raise FinpipeError(
            f"{system.name} could not be fetched",
            where=str(extract_of(system)),
            got=in_one_line(cause),
            fix="check that the system answers and that its credentials are set",
        ) from None


def _fetched(folder: Path) -> list[Path]:
    """Folders of fetched tables; dlt's own are left out."""
    root = folder / "bucket" / "fetched"
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("_dlt")) if root.is_dir() else []


def _landable(table: Path, folder: Path) -> Path:
    """One parquet file of text columns per resource: no load ids of dlt in it, so the same rows are the same bytes."""
    parts = sorted(str(p) for p in table.glob("*.parquet"))
    target = folder / f"{table.name}.parquet"
    scan = f"read_parquet([{', '.join(map(literal, parts))}], union_by_name = true)"
    connection: Any = duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})
    try:
        described = connection.execute(f"describe select * from {scan}").fetchall()
        columns = [
            f"{as_text(name, kind)} as {quoted(name)}" for name, kind, *_ in described if not name.startswith("_dlt_")
        ]
        done = connection.execute(
            f"copy (select {', '.join(columns)} from {scan}) to {literal(target)} (format parquet, compression zstd)"
        ).fetchall()
    finally:
        connection.close()
    if done[0][0] > limits.MAX_FETCH_ROWS:
        raise FinpipeError(
            "a fetch delivered too many rows",
            where=table.name,
            got=f"{done[0][0]:,}",
            fix=f"fetch at most {limits.MAX_FETCH_ROWS:,} rows at once",
        )
    return target
