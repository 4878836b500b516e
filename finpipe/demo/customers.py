"""Accounts: who the company sells to, in blocks of consecutive numbers.

Belongs here: accounts, their hierarchy, renames and CRM merges, entity, currency, terms, way of paying.
Does not: what they buy (``contracts``) or how a system shows them (``salesforce``, ``stripe``, ``netsuite``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import Chance, add_days
from finpipe.demo.world import ENTITIES, Horizon

FIRST = 10  # the number of the first account, so that every group of ten is whole
GROUP = 10  # accounts are born in tens: the first of ten is the parent others may belong to
_FIRST = (
    "Amber",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Maple",
    "Nimbus",
    "Orchid",
    "Pioneer",
    "Quartz",
    "Raven",
    "Summit",
    "Tundra",
)
_SECOND = ("Freight", "Foods", "Robotics", "Textiles", "Energy", "Pharma", "Optics", "Media", "Marine", "Mining",
           "Software", "Paper", "Glass", "Avionics", "Seeds", "Motors", "Cement")  # fmt: skip
_SUFFIX = ("Inc.", "Ltd", "K.K.", "W.L.L.")


def _word(expr: pl.Expr, words: tuple[str, ...]) -> pl.Expr:
    return expr.replace_strict(list(range(len(words))), list(words), return_dtype=pl.String)


def _roles(frame: pl.DataFrame, chance: Chance) -> pl.DataFrame:
    c = pl.col("c")
    roll = chance.below(c, "role", 100)
    head = c % GROUP == 0
    turn = (c // GROUP * 7 + chance.seed % 20) % 20
    return frame.with_columns(
        # 1 buyer, 2 prospect, 3 duplicate merged away in the CRM; the head of a group is never merged away
        role=pl.when(roll < 63).then(1).when((roll >= 98) & ~head).then(3).otherwise(2).cast(pl.Int64),
        # A fixed rotation, not a draw: the smallest company must have customers in every entity.
        entity=pl.when(turn < 8).then(1).when(turn < 13).then(2).when(turn < 17).then(3).otherwise(4).cast(pl.Int64),
        is_wire=chance.below(c, "wire", 100) < 42,
        terms=chance.chosen(c, "terms", [(30, 60), (45, 25), (60, 15)]),
        is_child=(chance.below(c, "child", 100) < 22) & ~head,
        is_renamed=chance.below(c, "renamed", 100) < 2,
    )


def _currency(chance: Chance) -> pl.Expr:
    functional = pl.col("func")
    foreign = pl.when(chance.below(pl.col("c"), "foreign2", 2) == 0)
    picked = foreign.then(pl.col("foreign_1")).otherwise(pl.col("foreign_2"))
    is_foreign = pl.col("is_wire") & (chance.below(pl.col("c"), "foreign", 100) < 35)
    return pl.when(is_foreign).then(picked).otherwise(functional)


def _names(chance: Chance) -> dict[str, pl.Expr]:
    c = pl.col("c")
    first = _word(chance.below(c, "first", len(_FIRST)), _FIRST)
    second = _word(chance.below(c, "second", len(_SECOND)), _SECOND)
    suffix = pl.col("entity").replace_strict([1, 2, 3, 4], list(_SUFFIX), return_dtype=pl.String)
    base = first + " " + second + " " + c.cast(pl.String)
    old = base + " " + suffix
    return {
        "old_name": old,
        "name": pl.when(pl.col("is_renamed")).then(first + " Group " + c.cast(pl.String) + " " + suffix).otherwise(old),
        "domain": first.str.to_lowercase() + second.str.to_lowercase() + c.cast(pl.String) + ".example",
    }


def accounts(low: int, high: int, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return accounts ``low`` to ``high - 1``. Grain: account ``c``; sorted by it.

    ``parent`` and ``master`` (the survivor of a CRM merge) are account numbers or null; currencies are ISO codes.
    A card customer pays in the functional currency of its entity; a wire customer may have a foreign currency.
    """
    spec = pl.DataFrame(
        [(e.no, e.currency, e.foreign[0], e.foreign[1], e.country, e.tax_bp) for e in ENTITIES],
        schema=["entity", "func", "foreign_1", "foreign_2", "country", "tax_bp"], orient="row",
    )  # fmt: skip
    c = pl.col("c")
    frame = pl.DataFrame({"c": pl.int_range(low, high, dtype=pl.Int64, eager=True)})
    frame = _roles(frame, chance).join(spec, on="entity", how="left", maintain_order="left")
    frame = frame.with_columns(
        ccy=_currency(chance),
        tax_bp=pl.when(chance.below(c, "exempt", 100) < 12).then(0).otherwise(pl.col("tax_bp")),
        head=c // GROUP * GROUP,
        created_on=add_days(pl.lit(horizon.start), -1 - chance.below(c, "born", 200)),
        renamed_on=add_days(pl.lit(horizon.start), 200 + chance.below(c, "renamedon", 300)),
        **_names(chance),
    )
    return frame.with_columns(
        parent=pl.when(pl.col("is_child") & (pl.col("role") != 3) & (pl.col("head") != c)).then(pl.col("head")),
        master=pl.when(pl.col("role") == 3).then(pl.col("head")),
        tax_id=pl.col("country") + (c * 7919 % 1_000_000_007).cast(pl.String).str.zfill(10),
    ).sort("c")
