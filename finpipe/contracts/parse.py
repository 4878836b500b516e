"""From text to the types of a contract: one grammar, so that no engine guesses.

Belongs here: what a decimal, date, moment, flag or whole number may look like, and the sentence for what does not.
Does not belong here: rules about values (pandera, in the contract) and rules across rows (the gate).
Text is read as ASCII: full-width digits, thousands separators, exponents, ``N/A`` and the like are refused,
and decimals beyond the contract's scale are refused rather than rounded.
"""

from dataclasses import dataclass

import polars as pl

from finpipe.contracts.base import Canonical, Column, own_columns

#: Oldest and newest year a business date may have; beyond lies a typing error.
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Parsed:
    """A typed frame of the same height as the text, and for each column a mask of cells that did not parse."""

    frame: pl.DataFrame
    failed: dict[str, pl.Series]


def parse(text: pl.DataFrame, entity: type[Canonical]) -> Parsed:
    """Type the entity's own columns; a cell that does not parse becomes null and is marked as failed."""
    typed, failed = [], {}
    for column in own_columns(entity):
        values = text.get_column(column.name)
        result = values if column.dtype == pl.String else text.select(_typed(column)).to_series()
        typed.append(result.alias(column.name))
        if result.null_count() > values.null_count():
            failed[column.name] = result.is_null() & values.is_not_null()
    return Parsed(pl.DataFrame(typed), failed)


def what_is_expected(column: Column) -> str:
    """How text for this column must look, for the sentence that refuses it."""
    if isinstance(column.dtype, pl.Decimal):
        return f"a plain decimal (digits, one point) with at most {column.dtype.scale} decimals"
    return {
        pl.Date: f"a date YYYY-MM-DD from {FIRST_YEAR} to {LAST_YEAR}",
        pl.Datetime: "a moment YYYY-MM-DDTHH:MM:SSZ",
        pl.Boolean: "true or false",
        pl.Int64: "a whole number",
    }[type(column.dtype)]


def _typed(column: Column) -> pl.Expr:
    """The expression that types a text column, null where the text does not fit."""
    text = pl.col(column.name)
    if isinstance(column.dtype, pl.Decimal):
        return _decimal(text, column.dtype)
    if column.dtype == pl.Date:
        return _in_range(pl.when(text.str.len_bytes() == 10).then(text).str.to_date("%Y-%m-%d", strict=False))
    if isinstance(column.dtype, pl.Datetime):
        return parse_instant(text)
    if column.dtype == pl.Boolean:
        return pl.when(text == "true").then(statement=True).when(text == "false").then(statement=False)
    return (
        pl.when(text.str.contains(r"^-?[0-9]{1,18}(\.0*)?$"))
        .then(text.str.replace(r"\.0*$", ""))
        .cast(pl.Int64, strict=False)
    )


def parse_instant(text: pl.Expr) -> pl.Expr:
    """A moment in UTC from ``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``, null where the text is anything else."""
    return _in_range(text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False, time_unit="us", time_zone="UTC"))


def _decimal(text: pl.Expr, dtype: pl.Decimal) -> pl.Expr:
    """An exact decimal; zeros beyond the scale are no information, any other digit there is a refusal."""
    whole = dtype.precision - dtype.scale
    fits = rf"^-?(0*[0-9]{{1,{whole}}}(\.[0-9]{{0,{dtype.scale}}}0*)?|\.[0-9]{{1,{dtype.scale}}}0*)$"
    return pl.when(text.str.contains(fits)).then(text).cast(dtype, strict=False)


def _in_range(when: pl.Expr) -> pl.Expr:
    return pl.when(when.dt.year().is_between(FIRST_YEAR, LAST_YEAR)).then(when)
