"""When exceptions came and went: what the publication in force was the first to see is landed before anything newer is.

Belongs here: reading that from the publication and landing it.  Does not belong here: deciding what was new (the mart
``exception_history`` does) and what follows from it (the models).

It is landed by the run that has something else to do: a run that finds nothing new lands nothing, so that the
publication in force stays the last word on what is landed.
"""

from datetime import date

from finpipe import ingest
from finpipe.ingest.landing import manifests
from finpipe.publish.read import current, manifest_of, query
from finpipe.settings import Home

_NEWS = """
select exception_id, event, spell, as_of_on, code, leg, owner, currency, amount, sentence
from main.exception_history where not is_landed order by exception_id, spell, event"""
_HAS_HISTORY = "select count(*) from duckdb_tables() where schema_name = 'main' and table_name = 'exception_history'"


def note_sightings(home: Home, as_of: date) -> None:
    """Land what the publication in force was the first to see, unless nothing has come since at the same date."""
    folder = current(home)
    if folder is None:
        return
    said = manifest_of(folder)
    head = max((m.order for m in manifests(home)), default=0)
    if said["as_of"] == as_of.isoformat() and said["load_seq"] == head:
        return
    land_sightings(home)


def land_sightings(home: Home, after: int | None = None) -> ingest.Landed | None:
    """Land what the publication in force was the first to see; with ``after`` only directly behind that load."""
    if not query(home, _HAS_HISTORY).rows[0][0]:
        return None
    found = query(home, _NEWS)
    return ingest.witness(home, [dict(zip(found.columns, row, strict=True)) for row in found.rows], after)
