"""Sightings of exceptions."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Sightings(Canonical):
    """One row per exception that entered or left the queue, as the publication that first showed it landed it."""

    sighting_id: str = f.key("`decisions:<exception>/<spell>/<event>`.")
    exception_id: str = f.text("Exception (marts.exceptions).", required=True)
    event: str = f.choice("Entered the queue, or left it because the data no longer show it.", ["seen", "gone"])
    spell: int = f.whole("How many times it has been in the queue, this time included.", required=True, minimum=1)
    as_of_on: pl.Date = f.day("Business date of the publication.", required=True)
    code: str = f.text("Exception code.", required=True)
    leg: str = f.text("Leg of the reconciliation, or system and entity.")
    owner: str = f.text("Role that had to act.")
    currency: str = f.currency("ISO 4217 code of the amount.", required=False)
    amount: f.Money = f.money("Money it was about.", required=False)
    sentence: str = f.text("What was wrong.")
