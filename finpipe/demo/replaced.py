"""The ERP is replaced by another one: which ids records have there, and who names them by which.

Belongs here: ids before and after. Does not: how companies do business, and files.

The old ERP knew the records made before the day; in the new one they have other ids and a field with the former one.
Other systems go on naming them by the former ids. Records made later are known by their new ids only, to everybody.
``truth/erp_ids.csv`` lists the transactions whose id in the truth is therefore never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

OLD_ERP, NEW_ERP = "netsuite", "netsuite_2"
#: Table → its columns that hold an id which the new ERP gave anew, each with the kind of record it names.
_IDS: dict[str, dict[str, str]] = {
    "customer": {"id": "customer", "parent": "customer"},
    "transaction": {"id": "transaction", "entity": "customer", "reversal": "transaction"},
    "transactionline": {"uniquekey": "line", "transaction": "transaction", "entity": "customer"},
    "transactionaccountingline": {"transaction": "transaction"},
    "nexttransactionlinelink": {"previousdoc": "transaction", "nextdoc": "transaction"},
    "deletedrecord": {"recordid": "transaction"},
}
_FORMER = {"customer": "custentity_former_id", "transaction": "custbody_former_id"}
#: CSV of another system → its column that names a record of the ERP.
_NAMED = {
    "salesforce/Account.csv": ("ERP_Customer_Id__c", "customer"),
    "salesforce/Opportunity.csv": ("ERP_Order_Id__c", "transaction"),
}
_METADATA = {"erp_customer_id": "customer", "erp_invoice_id": "transaction"}


@dataclass(frozen=True)
class Replacement:
    """The day from which the new ERP keeps the books, and the ids that the old one gave, by kind of record."""

    on: str
    known: dict[str, frozenset[str]]

    @classmethod
    def of(cls, extracts: Path, on: date) -> Replacement:
        """Read which records the old ERP knew."""
        known = {}
        for table, made in (("customer", "datecreated"), ("transaction", "createddate")):
            frame = pl.read_csv(extracts / OLD_ERP / f"{table}.csv", columns=["id", made], infer_schema=False)
            known[table] = frozenset(frame.filter(pl.col(made).str.slice(0, 10) < str(on))["id"])
        return cls(str(on), known)

    def in_new_erp(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of an ERP table with the ids the new ERP gave, and the former ids of records that moved."""
        if table in _FORMER:
            known = pl.col("id").is_in(list(self.known[table]))
            rows = rows.with_columns(pl.when(known).then("id").alias(_FORMER[table]))
        return rows.with_columns(_anew(pl.col(c)) for c in _IDS.get(table, {}))

    def named(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of another system with the ERP's ids as that system was told them."""
        if name not in _NAMED:
            return rows
        column, kind = _NAMED[name]
        is_old = pl.col(column).is_in(list(self.known[kind]))
        return rows.with_columns(pl.when(is_old).then(column).otherwise(_anew(pl.col(column))).alias(column))

    def told(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return an object of billing with the ERP's ids as billing was told them."""
        said = item.get("metadata") or {}
        changed = {
            member: "9" + said[member].zfill(11)
            for member, kind in _METADATA.items()
            if said.get(member) and said[member] not in self.known[kind]
        }
        return item | {"metadata": said | changed} if changed else item

    def truth(self, extracts: Path) -> pl.DataFrame:
        """Return the ids that transactions made in the new ERP have there. Grain: transaction, by its id in truth."""
        frame = pl.read_csv(extracts / OLD_ERP / "transaction.csv", columns=["id"], infer_schema=False)
        new = frame.filter(~pl.col("id").is_in(list(self.known["transaction"])))
        return new.select(record="id", erp_id=_anew(pl.col("id")))


def _anew(ids: pl.Expr) -> pl.Expr:
    """Return the id that the new ERP gives; null stays null."""
    return pl.when(ids.is_not_null()).then(pl.lit("9") + ids.str.zfill(11)).name.keep()
