"""What was known when: a moment of ours as a cut of the landing order.

Belongs here: which loads a knowledge date means.  Does not belong here: business dates; models answer those.
Landing order is the one clock that cannot jump, so a cut is always "everything up to load N".  A moment that the
stated times of receipt cannot place in that order is refused, never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from finpipe.errors import FinpipeError
from finpipe.ingest.landing import Manifest, manifests
from finpipe.settings import Home
from finpipe.systems import System


@dataclass(frozen=True)
class Known:
    """Everything that had landed up to a load, and when that load was received."""

    load_seq: int
    received_at: str

    def admits(self, manifest: Manifest) -> bool:
        """Whether a landed file was known."""
        return manifest.order <= self.load_seq


def known(home: Home, systems: Mapping[str, System], said: str | None = None, now: datetime | None = None) -> Known:
    """The cut that a load number, a moment or a date means; nothing = all that described systems have landed by now.

    A date means the end of that day, a moment without offset is UTC.  Raises ``FinpipeError`` for what cannot be read,
    for a time before the first load or in the future, and where the clock jumped about that moment.
    """
    landed = [m for m in manifests(home) if m.system in systems]
    if not landed:
        raise _refused(home, "nothing has been landed yet", "no landed file", "finpipe land SYSTEM PATH…")
    if said is None:
        return _cut(landed[-1])
    if said.strip().isdecimal():
        return _numbered(home, landed, int(said))
    return _at(home, landed, said.strip(), now or datetime.now(UTC))


def _numbered(home: Home, landed: list[Manifest], number: int) -> Known:
    upto = [m for m in landed if m.order <= number]
    if not upto or number > landed[-1].order:
        error = "before the first load nothing was known" if not upto else "there is no such load yet"
        raise _refused(home, error, f"load {number}", _range(landed))
    return _cut(upto[-1])


def _at(home: Home, landed: list[Manifest], said: str, now: datetime) -> Known:
    """All loads received up to a moment, if they are the first ones of the landing order."""
    moment = _moment(home, landed, said, now)
    before = [m for m in landed if _received(m) <= moment]
    if not before:
        raise _refused(home, "before the first load nothing was known", said, _range(landed))
    first_after = next((m for m in landed if _received(m) > moment), None)
    if first_after and first_after.order < before[-1].order:
        got = f"{said}: load {first_after.order} says {first_after.received_at}, load {before[-1].order} "
        got += f"says {before[-1].received_at}"
        raise _refused(home, "the clock jumped about that moment", got, "name the load instead: --as-known NUMBER")
    return _cut(before[-1])


def _moment(home: Home, landed: list[Manifest], said: str, now: datetime) -> datetime:
    """The moment meant: the last of a day, or an instant."""
    try:
        if len(said) == len("2025-01-31"):
            day = date.fromisoformat(said)
            moment = datetime.combine(day, time.min, UTC) + timedelta(days=1) - timedelta(microseconds=1)
            is_future = day > now.astimezone(UTC).date()
        else:
            moment = datetime.fromisoformat(said)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            is_future = moment > now
    except (ValueError, OverflowError):
        fix = "a load number, a date as 2025-01-31, or a moment as 2025-01-31T18:00+00:00"
        raise _refused(home, "that moment cannot be read", said, fix) from None
    if is_future:
        raise _refused(home, "what will be known then nobody knows yet", said, _range(landed))
    return moment


def _received(manifest: Manifest) -> datetime:
    return datetime.fromisoformat(manifest.received_at)


def _cut(newest: Manifest) -> Known:
    return Known(newest.order, newest.received_at)


def _range(landed: list[Manifest]) -> str:
    first, last = landed[0], landed[-1]
    return (
        f"between load {first.order}, received {first.received_at}, and load {last.order}, received {last.received_at}"
    )


def _refused(home: Home, error: str, got: str, fix: str) -> FinpipeError:
    return FinpipeError(error, where=str(home.landing), got=got, fix=fix)
