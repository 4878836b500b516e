"""The configuration this company would write by hand: what its extracts cannot say.

Belongs here: the company's own facts, as keys of ``finpipe.toml``. Does not: anything about faults, or about a seed.
"""

from __future__ import annotations

from finpipe.demo.ledger import ITEM_WRITE_OFF
from finpipe.demo.world import ENTITIES, entity_currencies


def configuration() -> str:
    """Return the text of ``finpipe.toml``: the currency of reports, whose bank account is whose, what writes off."""
    accounts = [f"{e.no:02d}-40017-{ccy}={e.no}" for e in ENTITIES for ccy in entity_currencies(e)]
    return (
        "# Northwind Ledger group: facts that the extracts do not state.\n"
        'reporting_currency = "USD"\n\n'
        "# Bank account = legal entity that owns it.\n"
        "[systems.bank.variables]\n"
        f'account_entities = "{",".join(accounts)}"\n\n'
        "# Credit memos of this item write a receivable off.\n"
        "[systems.netsuite.variables]\n"
        f'write_off_items = "{ITEM_WRITE_OFF}"\n'
    )
