"""Runs that failed, as causes that people are told of, until one like them ends well.

Belongs here: what the instance says of the last run of each job.  Does not belong here: telling anybody (``observe``).
"""

import dagster as dg

from finpipe.errors import FinpipeError
from finpipe.observe import Cause
from finpipe.observe.verdicts import Verdict
from finpipe.orchestration.jobs import MICRO_BATCH, PRIORITIES
from finpipe.settings import Home

#: Which home a run worked for: several may share the project's instance.
OF_HOME = "finpipe/home"
_OWNER = "data platform"
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
#: What the micro-batch does not do: its success says nothing of these.
_APART = ("backfill_periods",)
#: Runs of other homes on the same instance may stand between.
_MOST_LOOKED_AT = 50


def failed_runs(home: Home, instance: dg.DagsterInstance) -> Verdict:
    """The verdict on runs: a cause for each job whose last run failed and that no later run has made good."""
    whole = _last(home, instance, MICRO_BATCH)
    causes = []
    for job in PRIORITIES:
        last = whole if job == MICRO_BATCH else _last(home, instance, job)
        if last is None or last.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
            continue
        is_good = whole is not None and whole.dagster_run.status == dg.DagsterRunStatus.SUCCESS
        if is_good and whole is not None and job not in _APART and whole.create_timestamp > last.create_timestamp:
            continue
        causes.append(_cause(instance, last))
    return Verdict("runs", "run", _OWNER, tuple(causes), seen={"jobs whose last run failed": len(causes)})


def _last(home: Home, instance: dg.DagsterInstance, job: str) -> dg.RunRecord | None:
    """The last run of a job that ended for good; one that is tried again by itself has not."""
    filters = dg.RunsFilter(job_name=job, statuses=_ENDED)
    for record in instance.get_run_records(filters, limit=_MOST_LOOKED_AT):
        tags = record.dagster_run.tags
        if tags.get(OF_HOME, str(home.root)) == str(home.root) and tags.get("dagster/will_retry") != "true":
            return record
    return None


def _cause(instance: dg.DagsterInstance, record: dg.RunRecord) -> Cause:
    run = record.dagster_run
    said = (
        f"the last run of {run.job_name} failed ({run.run_id[:8]}, begun {record.create_timestamp:%Y-%m-%d %H:%M} UTC)"
    )
    steps = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1).records
    seen = {"run": run.run_id}
    if steps and steps[0].event_log_entry.dagster_event:
        problem = mistake(steps[0].event_log_entry.dagster_event)
        said += f": {problem.error}; {problem.got[:300]}"
        seen |= {"where": problem.where, "fix": problem.fix}
    return Cause(run.job_name, "run failed", said, _OWNER, seen=seen)


def mistake(event: dg.DagsterEvent) -> FinpipeError:
    """Why a step failed, in four parts where a stage gave them, else the innermost error's own words."""
    data = event.step_failure_data
    step = event.step_key or ""
    if data.user_failure_data is not None:
        parts = {k: str(v.value) for k, v in data.user_failure_data.metadata.items()}
        said = data.user_failure_data.description or "the step failed"
        return FinpipeError(said, where=parts.get("where", step), got=parts.get("got", ""), fix=parts.get("fix", ""))
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    got = error.message.strip() if error else "unknown"
    return FinpipeError(f"step {step} failed", where=step, got=got, fix="make dev shows the run with its log")
