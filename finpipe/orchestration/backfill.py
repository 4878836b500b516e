"""Publishing what a preview has shown, and writing down what was restated.

Belongs here: who may, on what, and the order of events.  Does not belong here: finding what differs (``preview``).

The write lock is held for the commit alone. Under it the preview must still hold; then the restatement is landed as
decisions, directly behind the loads that were looked at; then the whole line runs up to exactly there, with every
check of any other run, and publishes. Landed first, published second: a kill in between leaves a decision that the
next run applies, and never figures that moved without a word.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from finpipe import ingest
from finpipe.errors import FinpipeError
from finpipe.ingest.landing import manifests
from finpipe.orchestration.beside import Tell
from finpipe.orchestration.company import writing
from finpipe.orchestration.figures import Difference, Period, chosen, figures_of
from finpipe.orchestration.locks import locked_periods
from finpipe.orchestration.preview import Preview, inputs_of, kept, latest, new_loads, preview
from finpipe.orchestration.sightings import land_sightings
from finpipe.publish import reading
from finpipe.settings import Home

if TYPE_CHECKING:
    import dagster as dg

    from finpipe.orchestration.run import Ran

_PERIODS = """
select period, period_ends_on, max(quarter) from (
    select period, period_ends_on, coalesce(quarter, '') as quarter from main.calendar
    union all select period, period_ends_on, coalesce(quarter, '') from main.period_figures
    union all
    select name, ends_on, '' from canonical.accounting_periods
    where kind = 'period' and not is_deleted and not is_adjustment
) where period_ends_on is not null group by all order by 2, 1"""
#: Periods that a refusal names.
_MOST_NAMED = 5


@dataclass(frozen=True)
class Backfill:
    """What a backfill of some periods would change there, and what publishing it would change elsewhere."""

    preview: Preview
    inside: tuple[Difference, ...]
    outside: tuple[Difference, ...]
    locked: frozenset[tuple[str, date]]

    def is_locked(self, one: Difference) -> bool:
        """Whether a difference lies in a closed period."""
        return (one.period, one.period_ends_on) in self.locked


@dataclass(frozen=True)
class Signed:
    """Who restates, who agrees, and why."""

    by: str
    approved_by: str | None
    reason: str


def backfill(home: Home, periods: Sequence[str], tell: Tell = lambda _stage, _what: None) -> Backfill:
    """Preview some periods; raises ``FinpipeError`` for periods that no calendar has, before anything is computed."""
    is_meant(home, periods)
    return _split(home, preview(home, tell), periods)


def is_meant(home: Home, periods: Sequence[str]) -> Callable[[Difference], bool]:
    """Which differences lie in the periods asked for, by the calendars of the publication in force."""
    inputs_of(home)
    return chosen(periods, known_periods(home))


def known_periods(home: Home) -> list[Period]:
    """Every period of every calendar that the publication in force knows, in the order of time."""
    with reading(home) as connection:
        return [Period(*row) for row in connection.execute(_PERIODS).fetchall()]


def _split(home: Home, found: Preview, periods: Sequence[str]) -> Backfill:
    meant = is_meant(home, periods)
    with reading(home) as connection:
        locked = locked_periods(connection)
    inside = tuple(d for d in found.differences if meant(d))
    return Backfill(found, inside, tuple(d for d in found.differences if not meant(d)), locked)


def commit(
    home: Home,
    periods: Sequence[str],
    signed: Signed,
    tell: Tell = lambda _stage, _what: None,
    instance: "dg.DagsterInstance | None" = None,
    patience: float = 0,
) -> tuple[Backfill, "Ran | None"]:
    """Publish what was previewed and log it; no run when no figure differs in the periods.

    Raises ``FinpipeError`` when there is no preview of what is landed now, its audit failed, a closed period lacks its
    second person, or a closed period that was not asked for would move as well; ``BusyError`` while a run writes.
    """
    from finpipe.orchestration.run import run_job  # noqa: PLC0415 - it loads the definitions, and they name this

    with writing(home, patience):
        found = _split(home, _still_holds(home, periods), periods)
        if not found.inside:
            return found, None
        _judge(found, signed, periods)
        up_to = _land(home, found, signed, periods)
        ran = run_job(home, date.fromisoformat(found.preview.inputs.as_of), tell, instance=instance, up_to=up_to)
        if ran.is_published:
            _prove(home, found.preview)
        return found, ran


def _still_holds(home: Home, periods: Sequence[str]) -> Preview:
    now = inputs_of(home)
    if found := kept(home, now):
        return found
    before, again = latest(home), f"finpipe backfill {' '.join(periods)}, look at it, then --commit"
    if before is None:
        raise FinpipeError("nothing was previewed", where=str(home.backfills), got="no preview", fix=again)
    said = []
    if before.publication != now.publication:
        said.append(f"publication {now.publication} is in force, not {before.publication}")
    if arrived := new_loads(home, before.load_seq, now.load_seq):
        names = ", ".join(f"{m.order} ({m.system} {m.original_name})" for m in arrived[:_MOST_NAMED])
        more = f" and {len(arrived) - _MOST_NAMED} more" if len(arrived) > _MOST_NAMED else ""
        said.append(f"new loads: {names}{more}")
    said += [
        f"the {name.removesuffix('_version')} changed" for name, v in now.versions.items() if before.versions[name] != v
    ]
    raise FinpipeError(
        "the preview no longer holds",
        where=str(home.backfills),
        got="; ".join(said) or "another publication",
        fix=again,
    )


def _judge(found: Backfill, signed: Signed, periods: Sequence[str]) -> None:
    """Refuse what may not be published, or not by these people."""
    if not signed.by.strip() or not signed.reason.strip():
        raise FinpipeError(
            "a restatement names who restates and why",
            where=", ".join(periods),
            got=f"by {signed.by or 'nobody'}, because {signed.reason or 'of nothing'}",
            fix="give both: they stand in ledger.backfills",
        )
    if found.preview.broken:
        raise FinpipeError(
            "the audit would stop this",
            where="the recomputed figures",
            got=found.preview.broken,
            fix="correct the cause and preview again; nothing was published",
        )
    if moved := [d for d in found.outside if found.is_locked(d)]:
        raise FinpipeError(
            "closed periods that were not asked for would move as well",
            where=", ".join(periods),
            got=", ".join(sorted({d.period for d in moved})[:_MOST_NAMED]),
            fix="restate them too: FIRST..LAST, with a second person",
        )
    closed = sorted({d.period for d in found.inside if found.is_locked(d)})
    second = (signed.approved_by or "").strip().casefold()
    if closed and (not second or second == signed.by.strip().casefold()):
        raise FinpipeError(
            "a closed period needs a second person",
            where=", ".join(closed[:_MOST_NAMED]),
            got=f"by {signed.by}, approved by {signed.approved_by or 'nobody'}",
            fix="--approved-by NAME, somebody else",
        )


def _land(home: Home, found: Backfill, signed: Signed, periods: Sequence[str]) -> int:
    """Land what was seen and what is restated, directly behind what was looked at; returns the last load."""
    newest = max(m.order for m in manifests(home))
    if new_loads(home, found.preview.inputs.load_seq, newest):
        _still_holds(home, periods)  # it does not: landing needs no write lock
    seen = land_sightings(home, newest)
    newest = max(newest, seen.order if seen else 0)
    as_of = date.fromisoformat(found.preview.inputs.as_of)
    lines = [
        ingest.Decision("restate", _subject(d), signed.by, signed.reason, as_of, _payload(found, d, signed))
        for d in found.inside
    ]
    return ingest.decide(home, lines, newest).order


def _subject(one: Difference) -> str:
    return " ".join(filter(None, (one.measure, one.period, one.legal_entity_id, one.currency)))


def _payload(found: Backfill, one: Difference, signed: Signed) -> dict[str, Any]:
    return {
        **one.as_text(),
        "approved_by": signed.approved_by,
        "is_closed": found.is_locked(one),
        "publication": found.preview.inputs.publication,
    }


def _prove(home: Home, found: Preview) -> None:
    """Compare what is published now with what was shown; anything else is a defect of ours."""
    with reading(home) as connection:
        published = figures_of(connection, "main.period_figures")
    if {p: f.amount for p, f in published.items()} != {p: f.amount for p, f in found.figures.items()}:
        raise FinpipeError(
            "what was published is not what was previewed",
            where=str(home.published),
            got=f"other figures than preview {found.inputs.key}",
            fix="this is a defect of finpipe: finpipe roll-back, then report it",
        )
