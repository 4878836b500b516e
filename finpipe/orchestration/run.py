"""Running a job in this process, on the project's own Dagster instance, so that the UI shows the run.

Belongs here: starting a run and saying how it ended.  Does not belong here: what is printed of it (``cli``).
"""

import os
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from finpipe import log
from finpipe.conform.calendars import calendars_of
from finpipe.errors import FinpipeError
from finpipe.orchestration.beside import sweep
from finpipe.orchestration.company import loading, writing
from finpipe.orchestration.defs import build_defs
from finpipe.orchestration.failures import OF_HOME, mistake
from finpipe.orchestration.specs import PUBLISHED
from finpipe.policy import policy_of
from finpipe.settings import PROJECT, Home
from finpipe.warehouse import note_of

#: The steps that are told the business date; the other steps need nothing.
_LOAD = "load"
_TOLD = (_LOAD, "build")
#: Where the UI looks for a job's runs: the repository of the code location that ``workspace.yaml`` names.
_LISTED = {".dagster/repository": "__repository__@finpipe"}


@dataclass(frozen=True)
class Ran:
    """How a run ended: its id, steps that failed and why, and checks that did not pass."""

    run_id: str
    failures: dict[str, FinpipeError]
    blocking: list[str]
    warnings: list[str]
    files_new: int
    is_published: bool
    publication: int | None


def run_job(
    home: Home,
    as_of: date | None = None,
    tell: Callable[[str, str], None] = lambda _stage, _what: None,
    job: str = "run_pipeline",
    instance: dg.DagsterInstance | None = None,
    up_to: int | None = None,
) -> Ran:
    """Run a job to its end; raises ``BusyError`` at once when another process writes what this job does.

    A job that only loads leaves the warehouse to others. A run that met a damaged working database is made once more:
    load and conform set their file aside.
    With ``up_to`` only what had landed by that load counts, and the inbox waits for the next run.
    """
    policy_of(home)  # a policy or calendar that cannot be meant stops a run before it does anything
    calendars_of(home)
    sweep(home)
    definition = build_defs(home, tell).resolve_job_def(job)
    steps = {node.name for node in definition.nodes}
    with ExitStack() as held:
        if steps != {_LOAD}:
            held.enter_context(writing(home, patience=0))
        if _LOAD in steps:
            with loading(home, patience=0):  # busy now is said now; then each step takes it and lets it go
                pass
        if steps == {_LOAD} or up_to is not None:  # between load and conform nothing else may come in
            held.enter_context(loading(home, patience=0))
        config = _cut(definition, as_of, up_to) if as_of else {}
        with nullcontext(instance) if instance is not None else project_instance() as own:
            result = _execute(home, definition, config, own)
            if _LOAD in steps and any(note_of(database).exists() for database in (home.raw, home.warehouse)):
                tell(_LOAD, "the working database is damaged: everything is made again from landing")
                result = _execute(home, definition, config, own)
            return _ran(result)


def _cut(definition: dg.JobDefinition, as_of: date, up_to: int | None) -> dict[str, object]:
    told = [node.name for node in definition.nodes if node.name in _TOLD]
    said = {"as_of": as_of.isoformat()} | ({} if up_to is None else {"up_to": up_to})
    return {"ops": {name: {"config": said} for name in told}}


def project_instance() -> dg.DagsterInstance:
    """The instance of ``dagster.yaml``; its storage lies in the project wherever the command is called from.

    ``DAGSTER_HOME`` wins when it is set, as everywhere in Dagster.
    """
    if os.environ.get("DAGSTER_HOME"):
        return dg.DagsterInstance.get()
    with _in(PROJECT):
        return dg.DagsterInstance.from_config(str(PROJECT))


class _in:  # noqa: N801 - reads as a preposition
    """Work in a folder for a moment: ``dagster.yaml`` names its storage relative to the project."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.before = folder, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *_: object) -> None:
        os.chdir(self.before)


def _execute(
    home: Home, definition: dg.JobDefinition, config: dict[str, object], instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    began, run_id = time.monotonic(), str(uuid.uuid4())
    tags = {**_LISTED, OF_HOME: str(home.root)}
    log.note("run.began", run=run_id, job=definition.name)
    result = definition.execute_in_process(
        run_config=config, instance=instance, tags=tags, raise_on_error=False, run_id=run_id
    )
    verdict = "done" if result.success else "failed"
    seconds = round(time.monotonic() - began, 1)
    log.note("run.ended", run=run_id, job=definition.name, verdict=verdict, seconds=seconds)
    return result


def _ran(result: dg.ExecuteInProcessResult) -> Ran:
    failures = {e.step_key or "": mistake(e) for e in result.all_events if e.is_step_failure}
    bad = [c for c in result.get_asset_check_evaluations() if not c.passed]
    told = [(f"{c.asset_key.to_user_string()}: {c.check_name}", c.blocking and _is_error(c)) for c in bad]
    said = {e.asset_key: e.materialization.metadata for e in result.get_asset_materialization_events()}
    loads = said.get(dg.AssetKey(["ledger", "loads"]), {})
    published = said.get(PUBLISHED, {})
    return Ran(
        run_id=result.run_id,
        failures=failures,
        blocking=[name for name, blocks in told if blocks],
        warnings=[name for name, blocks in told if not blocks],
        files_new=int(str(loads["files_new"].value)) if "files_new" in loads else 0,
        is_published=bool(published["is_new"].value) if "is_new" in published else False,
        publication=int(str(published["publication"].value)) if "publication" in published else None,
    )


def _is_error(check: dg.AssetCheckEvaluation) -> bool:
    return check.severity == dg.AssetCheckSeverity.ERROR
