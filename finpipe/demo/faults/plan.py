"""Planting: picking victims, reading their documents, keeping the list of what was planted.

Belongs here: what every kind of fault needs. Does not: any one fault.
An invoice (with its payments) carries at most one fault, so that each has one cause; a customer may carry several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl

from finpipe.demo import ids
from finpipe.demo.company import Block, World
from finpipe.demo.faults.edits import ACCOUNTING, LINE, LINK, TRANSACTION, Edits, Extracts, Row, shift_posting, shifted
from finpipe.demo.world import DIGITS, ENTITIES

PER_CURRENCY = 2  # victims per code, currency and block of accounts

_SCHEMA = ["code", "system", "table", "record_id", "related_id", "legal_entity", "amount", "currency", "period"]


@dataclass
class Register:
    """The list of planted faults, in the order they were planted."""

    rows: list[dict[str, str | None]] = field(default_factory=list)

    def frame(self) -> pl.DataFrame:
        """Return faults. Grain: fault; amount in the currency beside it; period is the name of the entity's own."""
        frame = pl.DataFrame(self.rows, schema=dict.fromkeys(_SCHEMA, pl.String))
        return frame.with_row_index("fault", offset=1)

    def counts(self) -> dict[str, int]:
        """Return faults per code."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[str(row["code"])] = found.get(str(row["code"]), 0) + 1
        return dict(sorted(found.items()))


def text_of(minor: int, currency: str) -> str:
    """Write minor units as decimal text."""
    return f"{Decimal(minor).scaleb(-DIGITS[currency]):.{DIGITS[currency]}f}"


class Planter:
    """Plants faults into one block (or, without one, into what crosses customers)."""

    def __init__(self, world: World, extracts: Extracts, register: Register, block: Block | None = None) -> None:
        """Plant into ``extracts``, noting in ``register``."""
        self.world, self.extracts, self.register = world, extracts, register
        self._block = block
        self.edits = Edits()
        self.claimed: set[int] = set()
        self.periods = {
            (e, first, last): (name, str(period))
            for e, first, last, name, period in world.spans.select(
                "entity", "first_on", "last_on", "period_name", "period"
            ).iter_rows()
        }

    @property
    def block(self) -> Block:
        """The block; company-wide faults have none."""
        assert self._block is not None  # noqa: S101
        return self._block

    def period(self, entity: int, day: object) -> tuple[str, str]:
        """Return (name, id) of the period of an entity that a day lies in."""
        return next(v for (e, first, last), v in self.periods.items() if e == entity and first <= day <= last)

    def pick(
        self, code: str, frame: pl.DataFrame, condition: pl.Expr, *, key: str = "inv", claim: bool = True
    ) -> list[Row]:
        """Return victims: up to PER_CURRENCY rows per currency that no other fault has claimed."""
        usable = frame.filter(condition)
        if claim:
            usable = usable.filter(~pl.col("inv").is_in(sorted(self.claimed)))
        drawn = usable.with_columns(_draw=self.world.chance.draw(pl.col(key), code)).sort("ccy", "_draw", key)
        if claim:
            drawn = drawn.unique("inv", keep="first", maintain_order=True)
        rows = drawn.group_by("ccy", maintain_order=True).head(PER_CURRENCY).to_dicts()
        if claim:
            self.claimed.update(row["inv"] for row in rows)
        return rows

    def note(
        self, code: str, where: str, record: str, victim: Row, *, amount: int, day: object, related: str | None = None
    ) -> None:
        """Write a planted fault down. ``where`` is ``system/table``; the amount is in minor units of ``ccy``."""
        system, _, table = where.partition("/")
        self.register.rows.append(
            {
                "code": code,
                "system": system,
                "table": table.split(".")[0],
                "record_id": record,
                "related_id": related,
                "legal_entity": str(victim["entity"]),
                "amount": text_of(amount, victim["ccy"]),
                "currency": victim["ccy"],
                "period": self.period(victim["entity"], day)[0],
            }
        )

    def rows(self, name: str, column: str, value: str) -> list[Row]:
        """Return the native rows of a file where a column has a value."""
        if name not in self.extracts:
            return []
        return self.extracts[name].filter(pl.col(column) == value).to_dicts()

    def remove_document(self, tid: int, *, with_links: bool = True) -> None:
        """Take an ERP document out, with its lines and the links from or to it."""
        id_ = str(tid)
        self.edits.drop(TRANSACTION, id_)
        for row in self.rows(LINE, "transaction", id_):
            self.edits.drop(LINE, row["uniquekey"])
        for row in self.rows(ACCOUNTING, "transaction", id_):
            self.edits.drop(ACCOUNTING, f"{id_}|{row['transactionline']}")
        for column in ("previousdoc", "nextdoc") if with_links else ():
            for row in self.rows(LINK, column, id_):
                self.edits.drop(LINK, f"{row['previousdoc']}|{row['nextdoc']}")

    def shift_line(self, tid: int, line: int, delta: Decimal, functional: Decimal) -> None:
        """Add to one line of an ERP document, in both currencies (debit positive)."""

        def alter(row: Row) -> None:
            row["foreignamount"] = shifted(row["foreignamount"], delta)
            row["netamount"] = shifted(row["netamount"], functional)

        self.edits.alter(LINE, str(tid * 64 + line), alter)
        self.edits.alter(ACCOUNTING, f"{tid}|{line}", lambda row: shift_posting(row, functional))

    def shift_document(self, tid: int, line: int, minor: int, victim: Row) -> None:
        """Raise an ERP document's total (main line) by minor units, against one of its lines."""
        delta = Decimal(minor).scaleb(-DIGITS[victim["ccy"]])
        rate = Decimal(victim["rate"]).scaleb(-8)
        functional = round(delta * rate, DIGITS[victim["func"]])
        self.edits.alter(
            TRANSACTION, str(tid), lambda row: row.update(foreigntotal=shifted(row["foreigntotal"], delta))
        )
        self.shift_line(tid, 0, delta, functional)
        self.shift_line(tid, line, -delta, -functional)

    def copy_document(self, tid: int, new_tid: int, change: Callable[[Row], None]) -> None:
        """Add a copy of an ERP document under another id, without links; ``change`` edits its header."""
        for row in self.rows(TRANSACTION, "id", str(tid)):
            row.update(id=str(new_tid), transactionnumber=f"TN{new_tid}", externalid=None)
            change(row)
            self.edits.add(TRANSACTION, row)
        for row in self.rows(LINE, "transaction", str(tid)):
            row.update(transaction=str(new_tid), uniquekey=str(new_tid * 64 + int(row["id"])))
            self.edits.add(LINE, row)
        for row in self.rows(ACCOUNTING, "transaction", str(tid)):
            row.update(transaction=str(new_tid))
            self.edits.add(ACCOUNTING, row)

    def done(self) -> Extracts:
        """Return the extracts with everything planted."""
        return self.edits.applied(self.extracts)


def spare_tid(inv: int, use: int) -> int:
    """Return an unused ERP id near an invoice's (its last codes; ``use`` 0 to 9)."""
    return inv * 32 + 20 + use


def invoice_ref(victim: Row) -> tuple[int, str]:
    """Return (ERP id, Stripe id) of a victim invoice."""
    frame = pl.DataFrame({"inv": [victim["inv"]]})
    return victim["inv"] * 32, str(frame.select(ids.stripe("in", pl.col("inv"))).item())


def stripe_id(prefix: str, key: int) -> str:
    """Return one Stripe id."""
    return str(pl.DataFrame({"k": [key]}).select(ids.stripe(prefix, pl.col("k"))).item())


def salesforce_id(prefix: str, key: int) -> str:
    """Return one Salesforce id."""
    return str(pl.DataFrame({"k": [key]}).select(ids.salesforce(prefix, pl.col("k"))).item())


def other_entity(entity: int) -> int:
    """Return the entity a document is wrongly booked in."""
    return entity % len(ENTITIES) + 1
