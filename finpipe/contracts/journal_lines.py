"""Journal lines: debits and credits."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class JournalLines(Canonical):
    """One row per line of a posting and accounting book, in functional currency, debit positive."""

    journal_line_id: str = f.key(
        "`<role>:<transaction>/<line>` (with `/<book>` for books other than the primary).", space="documents"
    )
    journal_event_id: str = f.reference("Posting the line belongs to.", to="journal_events", must_exist=True)
    gl_account_id: str = f.reference("Account.", to="gl_accounts", required=False)
    legal_entity_id: str = f.reference("Entity of the line.", to="legal_entities", required=False)
    customer_id: str = f.reference("Customer, on lines that have one.", to="customers", required=False)
    currency: str = f.currency("Functional currency of the entity.")
    amount: f.Money = f.money("Signed amount in functional currency: debit positive.", at_risk=True)
    transaction_currency: str = f.currency("Currency of the document.", required=False)
    transaction_amount: f.Money = f.money("Signed amount in the document's currency, debit positive.", required=False)
    is_tax: bool = f.flag("A line that posts a document's tax, where the ERP says so.", required=False)
    memo: str = f.text("Text of the line.")
