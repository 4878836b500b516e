"""Decisions of people."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical

#: What can be decided.  A further kind is one more word here: its subject and payload are its own, everything else
#: (landing, gate, history, rebuild) is there.
KINDS = [
    *("assign", "fix", "waive", "resolve", "approve", "reopen"),
    *("close_prepare", "close_signoff", "close_reopen", "restate"),
    "customer_match",
]


class Decisions(Canonical):
    """One row per decision that a person took, landed like an extract and never changed; a later one may replace it."""

    decision_id: str = f.key("`decisions:<id>`.")
    kind: str = f.choice("What is decided.", KINDS)
    subject: str = f.text(
        "What it is about: the id of an exception, or `<legal entity>/<last day>` of a period.", required=True
    )
    decided_by: str = f.text("Who decided.", required=True, personal=True)
    decided_at: f.Instant = f.instant("When.", required=True)
    as_of_on: pl.Date = f.day("Business date of the figures that were looked at.", required=True)
    reason: str = f.text("Why, in the person's words.", required=True)
    payload: str = f.text("What the kind needs beyond that, as a JSON object.")
