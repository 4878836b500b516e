"""The vocabulary of the contracts: the few types a canonical column may have, and how each is declared.

Belongs here: types, and functions that declare a column with its description and meaning.
Does not belong here: any entity, and how text becomes a type (that is ``parse``).
"""

from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

from finpipe.reference.currencies import MINOR_UNITS

#: An amount of money in the currency named beside it. Exact; never a float.
Money = Annotated[pl.Decimal, 18, 4]
#: A unit price, quantity or exchange rate: exact, with more decimals than money has.
Rate = Annotated[pl.Decimal, 28, 12]
#: A moment in UTC.
Instant = Annotated[pl.Datetime, "us", "UTC"]


def key(description: str, *, space: str | None = None, ids: int = 0) -> Any:
    """Declare the entity's key, ``<role>:<native id>``; exactly one per contract, unique in the entity.

    ``space`` names the ids it is made of where that is not the entity itself: systems number all documents together,
    and lines by their document. ``ids``: how many of its parts between slashes are such ids.
    """
    return pa.Field(
        nullable=False,
        str_length={"min_value": 3, "max_value": 400},
        description=description,
        metadata={"role": "key", "space": space, "ids": ids or (1 if space else 0)},
    )


def reference(description: str, to: str, *, required: bool = True, must_exist: bool = False) -> Any:
    """Declare a reference to another entity's key.

    ``must_exist`` refuses a row whose parent is not accepted (a line without its header).  References between
    systems are never enforced at the gate: a missing counterpart is a finding of a reconciliation.
    """
    return pa.Field(
        nullable=not required,
        description=description,
        metadata={"role": "reference", "to": to, "must_exist": must_exist},
    )


def money(description: str, *, required: bool = True, at_risk: bool = False, minimum: int | None = None) -> Any:
    """Declare an amount in the row's currency; ``at_risk`` marks what is at stake when the row is refused."""
    return pa.Field(
        nullable=not required,
        ge=minimum,
        description=description,
        metadata={"role": "amount", "at_risk": at_risk},
    )


def rate(description: str, *, required: bool = True, positive: bool = False) -> Any:
    """Declare a unit price, quantity or rate."""
    return pa.Field(
        nullable=not required, gt=0 if positive else None, description=description, metadata={"role": "rate"}
    )


def currency(description: str = "ISO 4217 code of every amount in the row.", *, required: bool = True) -> Any:
    """Declare an ISO 4217 currency code, in capitals."""
    known = sorted(MINOR_UNITS)
    return pa.Field(nullable=not required, isin=known, description=description, metadata={"role": "currency"})


def text(description: str, *, required: bool = False, personal: bool = False, space: str | None = None) -> Any:
    """Declare free text; ``personal`` marks what a masked publication must hide.

    ``space`` says that it is the key of a record of one of several entities, and in which space of ids.
    """
    meta = {"role": "text", "personal": personal, "space": space}
    return pa.Field(nullable=not required, description=description, metadata=meta)


def choice(description: str, values: list[str], *, required: bool = True) -> Any:
    """Declare a text that takes one of a few values."""
    return pa.Field(
        nullable=not required,
        isin=values,
        description=description,
        metadata={"role": "choice", "values": values},
    )


def day(description: str, *, required: bool = False) -> Any:
    """Declare a calendar date in the entity's own time zone."""
    return pa.Field(nullable=not required, description=description, metadata={"role": "date"})


def instant(description: str, *, required: bool = False) -> Any:
    """Declare a moment in UTC."""
    return pa.Field(nullable=not required, description=description, metadata={"role": "instant"})


def flag(description: str, *, required: bool = True) -> Any:
    """Declare a yes/no column."""
    return pa.Field(nullable=not required, description=description, metadata={"role": "flag"})


def whole(description: str, *, required: bool = False, minimum: int | None = None) -> Any:
    """Declare a whole number."""
    return pa.Field(nullable=not required, ge=minimum, description=description, metadata={"role": "whole"})
