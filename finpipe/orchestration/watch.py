"""The facts that verdicts need, from landing and from the publication in force; both for the CLI and for Dagster.

Belongs here: finding facts, cheaply: the working database is never opened, and only manifests that the publication does
not know are read.  Does not belong here: Dagster (``observe``), and what the facts mean (``finpipe.observe``).
"""

from datetime import UTC, datetime

from finpipe.errors import FinpipeError
from finpipe.ingest.inbox import aside, look
from finpipe.ingest.landing import Manifest, manifest_paths, read_manifest
from finpipe.observe import Arrival, Facts, Judged, Rules, judge, rules_of
from finpipe.observe.published import Published, read
from finpipe.orchestration.aside import set_aside
from finpipe.policy import policy_of
from finpipe.publish.read import current, holding
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from finpipe.warehouse import STILL_REFUSED

_LOADS = "select system, table_name, original_name, received_at, digest from ledger.loads order by load_seq"
_Known = dict[tuple[str, str, str], Arrival]


def judged(home: Home, at: datetime | None = None) -> Judged:
    """Every verdict on a company, at an instant (default: now)."""
    systems = find_systems(home)
    return judge(rules(home), systems, facts(home, systems), at or datetime.now(UTC))


def rules(home: Home) -> Rules:
    """When things are due and who is told; raises ``FinpipeError`` for what cannot be meant."""
    return rules_of(policy_of(home), find_systems(home))


def facts(home: Home, systems: dict[str, System]) -> Facts:
    """What landing and the publication in force say."""
    published, known = _published(home)
    arrivals = [*known.values(), *(_landed(m) for m in _unpublished(home, known))]
    named = {n for n in systems if (home.inbox / n).is_dir() or n in home.config.systems}
    kept = {name: [p.name for p in aside(home, name)] for name in systems}
    seen, broken = look(home, systems), set_aside(home)
    strangers = [name for name in seen.strangers if name not in broken]
    unread = dict.fromkeys(strangers, "no system is called so") | dict(w.split(": ", 1) for w in seen.broken)
    return Facts(arrivals, published, kept, frozenset(named), unread, broken)


def _published(home: Home) -> tuple[Published | None, _Known]:
    if current(home) is None:
        return None, {}
    with holding(home) as (_, said, connection):
        known = {
            (system, table, digest): Arrival(system, table, name, received.astimezone(UTC), is_published=True)
            for system, table, name, received, digest in connection.execute(_LOADS).fetchall()
        }
        return read(connection, said, STILL_REFUSED), known


def _unpublished(home: Home, known: _Known) -> list[Manifest]:
    """Manifests of files that the publication does not know. A damaged one is for ``finpipe verify`` to report."""
    found = []
    for path in manifest_paths(home):
        if (*path.relative_to(home.landing).parts[:2], path.stem) not in known:
            try:
                found.append(read_manifest(path))
            except FinpipeError:
                continue
    return found


def _landed(manifest: Manifest) -> Arrival:
    received = datetime.fromisoformat(manifest.received_at).astimezone(UTC)
    return Arrival(manifest.system, manifest.table, manifest.original_name, received, is_published=False)
