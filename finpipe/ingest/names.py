"""Names as extracts spell them, brought to one form so that native and connector dialects meet.

Belongs here: the snake_case convention (the one dlt uses) and the looser comparison.
Does not belong here: which names a table has (``systems``).
"""

import re
from functools import lru_cache

_BREAK_BEFORE_WORD = re.compile("([^_])([A-Z][a-z]+)")
_BREAK_BEFORE_CAPITAL = re.compile("([a-z0-9])([A-Z])")
_NOT_PLAIN = re.compile(r"[^a-zA-Z\d_]+")
_REDUCED = str.maketrans("+-*@|", "x_xal")


@lru_cache(maxsize=50_000)
def snake(name: str) -> str:
    """``ERP_Customer_Id__c`` → ``erp_customer_id_c``: exactly dlt's naming convention, without importing dlt."""
    plain = _NOT_PLAIN.sub("_", name.strip().translate(_REDUCED))
    plain = _BREAK_BEFORE_WORD.sub(r"\1_\2", plain)
    plain = _BREAK_BEFORE_CAPITAL.sub(r"\1_\2", plain).lower()
    if plain[:1].isdigit():
        plain = "_" + plain
    bare = plain.rstrip("_")
    return re.sub("__+", "_", bare + "x" * (len(plain) - len(bare)))


@lru_cache(maxsize=50_000)
def squash(name: str) -> str:
    """The snake_case form without underscores: ``Product2Id`` = ``product_2_id`` = ``PRODUCT2ID``."""
    return snake(name).replace("_", "")
