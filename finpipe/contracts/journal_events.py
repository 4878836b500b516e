"""Journal events: one posting to the ledger."""

import polars as pl

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class JournalEvents(Canonical):
    """One row per posting and accounting book. Its lines sum to zero, or the gate refuses the whole event."""

    journal_event_id: str = f.key(
        "`<role>:<transaction>` (with `/<book>` for books other than the primary).", space="documents"
    )
    basis: str = f.choice("Booked by the ERP, or derived by finpipe.", ["booked", "derived"])
    native_kind: str = f.text("The ERP's own word for the kind of transaction.")
    document_ref: str = f.text(
        "Key of the invoice or payment that the posting records; empty for a manual journal.", space="documents"
    )
    document_number: str = f.text("Number printed on the document.")
    legal_entity_id: str = f.reference("Entity, when the whole event lies in one.", to="legal_entities", required=False)
    accounting_period_id: str = f.reference("Period posted in.", to="accounting_periods", required=False)
    book: str = f.text("Accounting book.", required=True)
    posted_on: pl.Date = f.day("Date of the transaction.", required=True)
    created_at: f.Instant = f.instant("When the ERP recorded it, which may be long after its date.")
    memo: str = f.text("Text of the posting.")
    changed_by: str = f.text("Who last changed the transaction, as the ERP names them; empty where it does not say.")
