"""Records that a system took over from the one it replaces, and the ids they had there."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical

#: What systems number apart from each other; ``documents`` are invoices, payments, orders and postings together.
SPACES = [
    "customers",
    "documents",
    "products",
    "gl_accounts",
    "legal_entities",
    "accounting_periods",
    "contracts",
    "opportunities",
]


class MigratedRecords(Canonical):
    """One row per record that moved to another system. It keeps the key it had, so that history has one name."""

    migrated_record_id: str = f.key("`<role>:<id space>/<id>`, with the id in the new system.")
    id_space: str = f.choice("What the id is an id of.", SPACES)
    record_key: str = f.text("Key as the new system's id would make it.", required=True)
    former_key: str = f.text("Key made of the id in the replaced system: the record goes on under it.", required=True)
