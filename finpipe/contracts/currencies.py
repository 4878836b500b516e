"""Currencies a system uses."""

from finpipe.contracts import fields as f
from finpipe.contracts.base import Canonical


class Currencies(Canonical):
    """One row per currency record of one system. The ISO table of minor units is reference data, not this."""

    currency_id: str = f.key("`<role>:<id>`.")
    code: str = f.currency("ISO 4217 code.")
    name: str = f.text("Name.")
    minor_units: int = f.whole("Decimals the system keeps.", minimum=0)
    is_base: bool = f.flag("The system's base or corporate currency.", required=False)
