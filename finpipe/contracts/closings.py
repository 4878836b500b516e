"""Figures of a period as they stood when it was locked."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Closings(Canonical):
    """One row per figure that was stored when a period was locked; a later lock of the period stores its own."""

    closing_id: str = f.key("`decisions:<figure>`, made of the close and all that tells the figure.")
    close_id: str = f.text("Act of closing it was stored by; the sign-off names it.", required=True)
    legal_entity_id: str = f.text("Legal entity.", required=True)
    period_ends_on: pl.Date = f.day("Last day of the period.", required=True)
    measure: str = f.choice("Receivables, deferred revenue, or the ledger.", ["ar", "deferred", "ledger"])
    kind: str = f.choice(
        "What a document moved in the period; an adjustment of an earlier, locked one that is shown in it; what stood "
        "before the first period that was locked; or the balance at its end.",
        ["item", "adjustment", "opening", "closing"],
    )
    origin_ends_on: pl.Date = f.day("Last day of the locked period that an adjustment comes from.")
    part: str = f.text("Movement of the measure; book and account in the ledger.", required=True)
    document_id: str = f.text("Document or journal event; empty for an opening and a closing.")
    label: str = f.text("Number by which people know the document.")
    currency: str = f.currency()
    amount: f.Money = f.money("Debit positive, in the currency beside it.")
    functional_currency: str = f.currency("Functional currency of the entity.", required=False)
    functional_amount: f.Money = f.money("The same in the functional currency.", required=False)
