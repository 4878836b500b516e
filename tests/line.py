"""LOAD and CONFORM as the steps of a run do them, without Dagster."""

from finpipe import ingest
from finpipe.conform import ConformReport, conform
from finpipe.settings import Home
from finpipe.systems import System, find_systems


def load_and_conform(home: Home, systems: dict[str, System] | None = None) -> tuple[ingest.LoadReport, ConformReport]:
    """Bring raw up to the landing zone, then canonical up to raw, and account for every row."""
    described = find_systems(home) if systems is None else systems
    with ingest.open_raw(home) as (connection, _):
        loaded = ingest.load(home, connection, described)
    with ingest.open_warehouse(home) as (connection, _):
        conformed = conform(home, connection, described)
        ingest.refresh_row_accounts(home, connection)
        assert ingest.row_account_breaks(connection) == []
    return loaded, conformed
