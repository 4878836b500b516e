"""Extracts in: files land unchanged, are read as text, and enter the raw tables exactly once.

Belongs here: landing, reading formats, the hand-over through dlt, the load ledger and its proofs.
Does not belong here: what a value means (``contracts``) and where it goes (``conform``).
"""

from finpipe.ingest.accounts import refresh_row_accounts, row_account_breaks
from finpipe.ingest.decide import Decision, decide, landed_decisions, store, unseen, witness
from finpipe.ingest.fetch import fetch
from finpipe.ingest.heal import open_raw, open_warehouse, set_aside
from finpipe.ingest.inbox import land_inbox
from finpipe.ingest.known import Known, known
from finpipe.ingest.land import Landed, land
from finpipe.ingest.live import Live, fetch_new, look_live
from finpipe.ingest.load import LoadedFile, LoadReport, load
from finpipe.ingest.verify import verify

__all__ = [
    "Decision",
    "Known",
    "Landed",
    "Live",
    "LoadReport",
    "LoadedFile",
    "decide",
    "fetch",
    "fetch_new",
    "known",
    "land",
    "land_inbox",
    "landed_decisions",
    "load",
    "look_live",
    "open_raw",
    "open_warehouse",
    "refresh_row_accounts",
    "row_account_breaks",
    "set_aside",
    "store",
    "unseen",
    "verify",
    "witness",
]
