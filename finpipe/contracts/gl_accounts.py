"""Accounts of the general ledger."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class GlAccounts(Canonical):
    """One row per account of the ERP's chart."""

    gl_account_id: str = f.key("`<role>:<id>`.")
    number: str = f.text("Number.")
    name: str = f.text("Name.")
    kind: str = f.choice(
        "What the account holds.",
        [
            "bank",
            "receivable",
            "unbilled",
            "deferred_revenue",
            "revenue",
            "expense",
            "payable",
            "equity",
            "other_asset",
            "other_liability",
            "other_income",
            "other_expense",
            "statistical",
        ],
    )
    native_kind: str = f.text("The ERP's own word for the kind.")
    parent_gl_account_id: str = f.reference("Parent account.", to="gl_accounts", required=False)
    is_active: bool = f.flag("May be posted to.")
