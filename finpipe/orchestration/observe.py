"""Verdicts in Dagster: asset checks that a sensor records without a run, and alerts about their causes.

Belongs here: which verdict stands at which asset, and when it is recorded.  Does not belong here: coming to verdicts
(``finpipe.observe``), finding facts (``watch``).
Dagster's own freshness policies (``freshness``) see the last materialisation only; these look at what is inside.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg

from finpipe.observe import Cause, Judged, dispatch
from finpipe.observe.verdicts import CLOCK, FINANCIALLY_LATE, LATE, MISMATCHED
from finpipe.orchestration import specs
from finpipe.orchestration.company import Company
from finpipe.orchestration.failures import failed_runs
from finpipe.orchestration.metadata import shown, table
from finpipe.orchestration.watch import judged, rules
from finpipe.systems import System

#: How often what is late or mismatched is judged anew.
SECONDS_BETWEEN_TICKS = 300
#: A verdict that stays as it is is recorded again after so long, so that nobody takes it for a forgotten one.
_SECONDS_TO_REPEAT = 24 * 3600

COMES, USUAL = "comes_in_time", "comes_as_usual"
ENDED = "runs_end_well"
SHOWN, AGREE, REACHED = "is_published_in_time", "reconciliations_agree", "milestones_are_reached_in_time"
_RECONCILIATIONS = dg.AssetKey(["marts", "reconciliations"])
_MILESTONES = dg.AssetKey(["marts", "quote_to_cash"])


class Watched(NamedTuple):
    """One check: where it stands, and which verdicts and causes it shows."""

    spec: dg.AssetCheckSpec
    kinds: tuple[str, ...]
    states: tuple[str, ...]
    subject: str | None = None
    is_error: bool = True


def watched(systems: dict[str, System]) -> list[Watched]:
    """Every check of freshness."""
    found = []
    for name in systems:
        key = dg.AssetKey(["landing", name])
        comes = "What the system owes landed by its deadline, is new enough, and leaves out no business day."
        usual = "No file was refused or set aside, and none has far more or fewer rows than its kind usually has."
        found.append(Watched(_spec(COMES, key, comes), ("system",), (LATE,), name))
        found.append(Watched(_spec(USUAL, key, usual), ("system",), (MISMATCHED,), name, is_error=False))
    agree = "No control total and no reconciliation is out of tolerance."
    shown_ = "What is published covers every period that is due; no file waits or lies where nobody takes it."
    reached = "No booking misses a milestone from quote to cash; the data may be in time all the same."
    ended = "The last run of each job ended well, or a later run of the whole line did."
    at_publication = ("mart", "publication", "inbox", "clock")
    return [
        *found,
        Watched(_spec(SHOWN, specs.PUBLISHED, shown_), at_publication, (LATE, MISMATCHED, CLOCK)),
        Watched(_spec(ENDED, specs.PUBLISHED, ended), ("run",), (MISMATCHED,)),
        Watched(_spec(AGREE, _RECONCILIATIONS, agree), ("reconciliations",), (MISMATCHED,)),
        Watched(_spec(REACHED, _MILESTONES, reached), ("milestones",), (FINANCIALLY_LATE,), is_error=False),
    ]


def freshness_checks(company: Company, checks: Sequence[Watched]) -> dg.AssetChecksDefinition:
    """The checks as people can start them; the sensor records the same without a run."""

    @dg.multi_asset_check(
        name="judge_freshness",
        specs=[w.spec for w in checks],
        can_subset=True,
        description="Judge systems and publication now, by what is landed and published.",
    )
    def judge_freshness(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        found = _with_runs(company, judged(company.home), context.instance)
        for check in checks:
            if check.spec.key in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(**_result(check, found))

    return judge_freshness


def freshness_sensor(
    company: Company, checks: Sequence[Watched], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dg.SensorDefinition:
    """The sensor: judges, records what changed, and tells whom the routes name. It starts no run."""

    def tick(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        at = clock()
        found = _with_runs(company, judged(company.home, at), context.instance)
        events, cursor = record(checks, found, context.cursor)
        sent = dispatch(company.home, rules(company.home), found.causes, at)
        for failure in sent.failures:
            context.log.warning(f"an alert did not get through: {failure}")
        said = f"{len(found.causes)} causes, {len(events)} checks recorded, {len(sent.messages)} messages sent"
        return dg.SensorResult(asset_events=events, cursor=cursor, skip_reason=said)

    return dg.SensorDefinition(
        name="freshness",
        evaluation_fn=tick,
        minimum_interval_seconds=SECONDS_BETWEEN_TICKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Judges what is late or mismatched without a run, and alerts by the routes of the policy.",
    )


def _with_runs(company: Company, found: Judged, instance: dg.DagsterInstance) -> Judged:
    """The verdicts on data and publication, and the one on runs, which only the instance knows."""
    return replace(found, verdicts=(*found.verdicts, failed_runs(company.home, instance)))


def record(checks: Iterable[Watched], found: Judged, cursor: str | None) -> tuple[list[dg.AssetCheckEvaluation], str]:
    """Evaluations that are new, or a day old; and what was recorded last, as a cursor."""
    try:
        before = dict(json.loads(cursor or "{}"))
    except (ValueError, TypeError):
        before = {}
    now, events, after = found.at.timestamp(), [], {}
    for check in checks:
        name = check.spec.key.to_user_string()
        said = _result(check, found)
        mark = hashlib.sha256(repr((said["passed"], _names(check, found))).encode()).hexdigest()[:12]
        last = before.get(name, ["", 0.0])
        if last[0] == mark and 0 <= now - last[1] < _SECONDS_TO_REPEAT:
            after[name] = last
            continue
        after[name] = [mark, now]
        metadata = {k: dg.MetadataValue.text(v) if isinstance(v, str) else v for k, v in said["metadata"].items()}
        events.append(dg.AssetCheckEvaluation(**{**said, "metadata": metadata}))
    return events, json.dumps(after, sort_keys=True)


def _spec(name: str, key: dg.AssetKey, about: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=key, description=about)


def _causes(check: Watched, found: Judged) -> list[Cause]:
    mine = [v for v in found.verdicts if v.kind in check.kinds and check.subject in (None, v.subject)]
    return [c for v in mine for c in v.causes if c.state in check.states]


def _names(check: Watched, found: Judged) -> list[str]:
    return sorted(c.key for c in _causes(check, found))


def _result(check: Watched, found: Judged) -> dict[str, Any]:
    """What a check says, with what was seen."""
    causes = _causes(check, found)
    mine = [v for v in found.verdicts if v.kind in check.kinds and check.subject in (None, v.subject)]
    seen = {f"{v.subject}: {k}" if len(mine) > 1 else k: _plain(x) for v in mine for k, x in v.seen.items()}
    rows = [
        (c.subject, c.kind, c.detail, c.owner, c.sentence, "; ".join(f"{k} {_plain(x)}" for k, x in c.seen.items()))
        for c in causes
    ]
    due = [f"{v.subject} {_plain(v.due_at)}" for v in mine if v.due_at]
    return {
        "asset_key": check.spec.asset_key,
        "check_name": check.spec.name,
        "passed": not causes,
        "severity": dg.AssetCheckSeverity.ERROR if check.is_error else dg.AssetCheckSeverity.WARN,
        "description": "; ".join(c.sentence for c in causes[:5])
        or ("in time" if mine else "not in use: nothing is owed"),
        "metadata": {
            "judged at": _plain(found.at),
            **({"due": ", ".join(due)} if due else {}),
            **seen,
            "causes": table(["subject", "kind", "which", "owner", "what", "seen"], rows),
        },
    }


def _plain(value: Any) -> str:
    return value.isoformat(timespec="minutes") if isinstance(value, datetime) else str(shown(value))
