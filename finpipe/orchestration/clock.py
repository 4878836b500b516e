"""Today, by a clock that can be believed.

Belongs here: refusing to date figures and decisions by a clock that jumped.  Does not belong here: the order of loads,
which no clock decides (``finpipe.ingest.known``), and telling people of a clock that is behind (``finpipe.observe``).
"""

from datetime import UTC, date, datetime, timedelta

from finpipe.errors import FinpipeError
from finpipe.ingest.landing import manifests
from finpipe.observe.judge import CLOCKS_MAY_DIFFER
from finpipe.publish.read import current, manifest_of
from finpipe.settings import Home

#: A company that nothing was landed or published of for longer than this says the date itself.
LONGEST_SILENCE = timedelta(days=366)


def today(home: Home, now: datetime | None = None) -> date:
    """The date in UTC; raises ``FinpipeError`` where the clock contradicts what this machine wrote itself.

    Behind: something was landed or published later than now. Ahead: nothing was for more than a year.
    """
    now = now or datetime.now(UTC)
    newest = _newest(home)
    if newest is not None and newest > now + CLOCKS_MAY_DIFFER:
        raise _refused("the clock went back", now, newest)
    if newest is not None and now - newest > LONGEST_SILENCE:
        raise _refused("the clock is far ahead of all that was landed and published", now, newest)
    return now.astimezone(UTC).date()


def _newest(home: Home) -> datetime | None:
    stamps = [m.received_at for m in manifests(home)] if home.landing.is_dir() else []
    if (folder := current(home)) is not None:
        stamps.append(str(manifest_of(folder)["published_at"]))
    return max((datetime.fromisoformat(stamp).astimezone(UTC) for stamp in stamps), default=None)


def _refused(error: str, now: datetime, newest: datetime) -> FinpipeError:
    return FinpipeError(
        error,
        where="this machine's clock",
        got=f"it says {now:%Y-%m-%d %H:%M} UTC, the newest landing or publication is of {newest:%Y-%m-%d %H:%M} UTC",
        fix="correct the clock; where it is right, say the business date: finpipe run --as-of DATE",
    )
