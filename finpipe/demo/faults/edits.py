"""Edits to native rows: drop, change or add a few rows of large frames, in one pass per file.

Belongs here: the mechanics. Does not: which rows, and why (the other modules of this package).
Rows are named by file and native key; a key of several columns is joined with ``|``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

Row = dict[str, Any]
Extracts = dict[str, pl.DataFrame]

TRANSACTION, LINE = "netsuite/transaction.csv", "netsuite/transactionline.csv"
ACCOUNTING, LINK = "netsuite/transactionaccountingline.csv", "netsuite/nexttransactionlinelink.csv"
_KEYS: dict[str, tuple[str, ...]] = {
    LINE: ("uniquekey",), ACCOUNTING: ("transaction", "transactionline"), LINK: ("previousdoc", "nextdoc"),
    "bank/statement.csv": ("bank_reference",), "netsuite/deletedrecord.csv": ("recordid",),
}  # fmt: skip


def key_of(name: str, columns: list[str]) -> pl.Expr:
    """Return the native key of a file's rows as text."""
    default = ("Id",) if "Id" in columns else ("id",)
    return pl.concat_str([pl.col(k) for k in _KEYS.get(name, default)], separator="|")


@dataclass
class Edits:
    """What to change, collected before it is done."""

    drops: dict[str, set[str]] = field(default_factory=dict)
    changes: dict[str, dict[str, list[Callable[[Row], None]]]] = field(default_factory=dict)
    adds: dict[str, list[Row]] = field(default_factory=dict)

    def drop(self, name: str, key: str) -> None:
        """Leave a row out."""
        self.drops.setdefault(name, set()).add(key)

    def change(self, name: str, key: str, **values: object) -> None:
        """Set columns of a row."""
        self.alter(name, key, lambda row: row.update(values))

    def alter(self, name: str, key: str, how: Callable[[Row], None]) -> None:
        """Change a row in place by a function."""
        self.changes.setdefault(name, {}).setdefault(key, []).append(how)

    def add(self, name: str, row: Row) -> None:
        """Append a row."""
        self.adds.setdefault(name, []).append(row)

    def applied(self, extracts: Extracts) -> Extracts:
        """Return the extracts with the edits made to files they hold."""
        return {name: self._frame(name, frame) for name, frame in extracts.items()}

    def _frame(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        if not any(name in part for part in (self.drops, self.changes, self.adds)):
            return frame
        key = key_of(name, frame.columns)
        if name in self.drops:
            frame = frame.filter(~key.is_in(sorted(self.drops[name])))
        if name in self.changes:
            frame = self._changed(frame, key, self.changes[name])
        if self.adds.get(name):
            frame = pl.concat([frame, pl.DataFrame(self.adds[name], schema=frame.schema)])
        return frame

    @staticmethod
    def _changed(frame: pl.DataFrame, key: pl.Expr, changes: dict[str, list[Callable[[Row], None]]]) -> pl.DataFrame:
        numbered = frame.with_row_index("_at")
        hit = numbered.filter(key.is_in(sorted(changes)))
        keys = hit.select(_k=key)["_k"].to_list()
        rows = hit.to_dicts()
        for key_text, row in zip(keys, rows, strict=True):
            for how in changes[key_text]:
                how(row)
        new = pl.DataFrame(rows, schema=hit.schema)
        rest = numbered.filter(~key.is_in(sorted(changes)))
        return pl.concat([rest, new]).sort("_at").drop("_at")


def shifted(text: str, delta: Decimal) -> str:
    """Add to an amount written as text, keeping its decimals."""
    places = len(text.partition(".")[2])
    return f"{Decimal(text) + delta:.{places}f}"


def shift_posting(row: Row, delta: Decimal) -> None:
    """Add to an accounting line; debit and credit follow the sign."""
    row["amount"] = row["netamount"] = amount = shifted(row["amount"], delta)
    is_debit = Decimal(amount) > 0
    row["debit"] = amount if is_debit else None
    row["credit"] = None if is_debit else amount.removeprefix("-")
