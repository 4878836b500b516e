"""Faults of whole files: extracts sent once more on the last day, in a shape that cannot be read.

Belongs here: bytes that are torn, ragged or have other columns. Does not: faults of rows (the other modules).
Each repeats a table that was delivered well, so that nothing is missing from the company; the second copy of every
table is a file of its own, ``<table>_<last day>``.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.faults.company import CompanyPlanter
from finpipe.demo.faults.edits import Row
from finpipe.demo.world import ENTITIES


def _text(frame: pl.DataFrame) -> str:
    return frame.write_csv(line_terminator="\n")


def _send(
    p: CompanyPlanter, code: str, name: str, text: str, victim: Row | None = None, *, column: str | None = None
) -> None:
    """Deliver a table again as ``text``. What is noted is the file; of a column lost, the table's column."""
    day = p.world.horizon.cut
    stem, _, extension = name.rpartition(".")
    again = f"{stem}_{day}.{extension}"
    p.files[again] = text.encode()
    file, victim = again.rpartition("/")[2], victim or {"entity": 1, "ccy": "USD"}
    p.note(code, name, column or file, victim, amount=0, day=day, related=file)


def misshapen(p: CompanyPlanter) -> None:
    """DQ-SCHEMA: a line with a field too many, a line cut off, two columns of one name, an object cut off."""
    account = _text(p.extracts["netsuite/account.csv"])
    _send(p, "DQ-SCHEMA", "netsuite/account.csv", account[: account.rstrip().rindex(",", 0, account.rindex(",")) + 2])
    types = _text(p.extracts["salesforce/CurrencyType.csv"])
    _send(p, "DQ-SCHEMA", "salesforce/CurrencyType.csv", types.replace("IsCorporate", "IsActive", 1))
    products = p.extracts["stripe/product.jsonl"].write_ndjson()
    _send(p, "DQ-SCHEMA", "stripe/product.jsonl", products[: len(products) * 3 // 5])
    lines = p.extracts["bank/statement.csv"]
    for e in ENTITIES:
        own = _text(
            lines.filter(pl.col("account_id").str.starts_with(f"{e.no:02d}-") & (pl.col("currency") == e.currency))
        )
        ragged = own.replace("ACCOUNT FEE ", "ACCOUNT FEE, ", 1)
        _send(p, "DQ-SCHEMA", f"bank/statement_{e.currency}.csv", ragged, {"entity": e.no, "ccy": e.currency})


def renamed_columns(p: CompanyPlanter) -> None:
    """DRIFT-BREAKING: a table comes again with a column renamed, mostly one that it cannot do without."""
    for name, old, new in (
        ("salesforce/Product2.csv", "Name", "Product_Title"),
        ("netsuite/item.csv", "itemtype", "category"),
        ("netsuite/subsidiary.csv", "currency", "basecurrency"),
    ):
        _send(p, "DRIFT-BREAKING", name, _text(p.extracts[name].rename({old: new})))
    for e in ENTITIES:
        for ccy in e.foreign[:1]:
            account = pl.col("account_id") == f"{e.no:02d}-40017-{ccy}"
            again = p.extracts["bank/statement.csv"].filter(account).rename({"amount": "turnover"})
            name = f"bank/statement_{e.code}_{ccy}.csv"
            _send(p, "DRIFT-BREAKING", name, _text(again), {"entity": e.no, "ccy": ccy})
    name, column = "netsuite/currency.csv", "currencyprecision"
    _send(p, "DRIFT-BREAKING", name, _text(p.extracts[name].rename({column: "decimals"})), column=f"currency.{column}")
