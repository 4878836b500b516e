"""Products and services sold."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Products(Canonical):
    """One row per product record of one system."""

    product_id: str = f.key("`<role>:<id>` of the product or item.")
    name: str = f.text("Name as the system shows it.")
    product_code: str = f.text("Stock-keeping code.")
    family: str = f.text("Family or type, in the system's own words.")
    charge_kind: str = f.choice(
        "How it is charged, where the system says.", ["recurring", "one_time", "usage"], required=False
    )
    is_active: bool = f.flag("May still be sold.", required=False)
