"""The ERP's revenue run over its own documents: one that it holds wrongly is recognised as it is held.

Belongs here: what planted faults in invoices change in the recognition journals. Does not: faults in those journals
(``company``). The journals are told by the truth; their amounts follow the documents that the ERP really shows.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.faults.company import CompanyPlanter
from finpipe.demo.faults.edits import ACCOUNTING, LINE, TRANSACTION, Edits, Extracts
from finpipe.demo.faults.plan import Planter
from finpipe.demo.revenue import by_day
from finpipe.demo.world import ACCOUNT_ID, ENTITIES

LINES_OF_A_DOCUMENT = 64  # a line's unique key = transaction x 64 + line


def changed(planter: Planter, after: Extracts) -> pl.DataFrame:
    """Return what the edits of a block change. Grain: entity x period; ``amount`` in functional minor units."""
    touched = _touched(planter.edits)
    before = _run(planter.extracts, touched, planter.world.spans).with_columns(-pl.col("amount"))
    both = pl.concat([_run(after, touched, planter.world.spans), before])
    moved = both.group_by("entity", "period").agg(pl.col("amount").sum()).sort("entity", "period")
    return moved.filter(pl.col("amount") != 0)


def follow(planter: CompanyPlanter, misrun: pl.DataFrame) -> None:
    """Let the recognition journal of each entity and period release what the ERP's own documents say."""
    moved = misrun.group_by("entity", "period").agg(pl.col("amount").sum()).sort("entity", "period")
    journals = {d["tranid"]: d for d in planter.documents.filter(pl.col("tranid").str.starts_with("REV-")).to_dicts()}
    for entity, period, minor in moved.iter_rows():
        number = f"REV-{entity}-{period}"
        if number in journals:
            planter.shift_document(journals[number]["tid"], 1, minor, journals[number])
        elif minor:
            _add(planter, entity, period, minor, number)


def _add(planter: CompanyPlanter, entity: int, period: int, minor: int, number: str) -> None:
    """A period in which the truth recognises nothing has no journal yet."""
    spans = planter.world.spans
    span = spans.filter((pl.col("entity") == entity) & (pl.col("period") == period)).to_dicts()[0]
    victim = {"entity": entity, "ccy": ENTITIES[entity - 1].currency}
    accounts = (ACCOUNT_ID[2200], ACCOUNT_ID[4000]) if minor > 0 else (ACCOUNT_ID[4000], ACCOUNT_ID[2200])
    memo = f"Revenue recognised {span['period_name']}"
    planter.journal(victim, span["seen_to"], abs(minor), accounts, tranid=number, memo=memo)


def _touched(edits: Edits) -> list[str]:
    """Ids of the ERP's transactions that any edit names."""
    found: set[str] = set()
    for part in (edits.drops, edits.changes):
        found |= set(part.get(TRANSACTION, ()))
        found |= {str(int(key) // LINES_OF_A_DOCUMENT) for key in part.get(LINE, ())}
        found |= {key.partition("|")[0] for key in part.get(ACCOUNTING, ())}
    return sorted(found | {row["id"] for row in edits.adds.get(TRANSACTION, ())})


def _run(extracts: Extracts, ids: list[str], spans: pl.DataFrame) -> pl.DataFrame:
    """Recognise the deferred, dated lines of the invoices with these ids, as their native rows show them."""
    heads = extracts[TRANSACTION].filter((pl.col("type") == "CustInvc") & pl.col("id").is_in(ids))
    lines = extracts[LINE].filter(pl.col("transaction").is_in(ids) & pl.col("custcol_service_start").is_not_null())
    posted = extracts[ACCOUNTING].filter(
        pl.col("transaction").is_in(ids) & (pl.col("account") == str(ACCOUNT_ID[2200]))
    )
    frame = (
        lines.select("transaction", "subsidiary", "custcol_service_start", "custcol_service_end", line="id")
        .join(posted.select("transaction", "amount", line="transactionline"), on=["transaction", "line"], how="inner")
        .join(heads.select("trandate", "reversaldate", transaction="id"), on="transaction", how="inner")
        .sort("transaction", "line")
    )
    # An amount has the decimals of its currency: without the point it is minor units.
    minor = -pl.col("amount").str.replace(".", "", literal=True).cast(pl.Int64)
    ready = frame.select(
        il=pl.int_range(pl.len()),
        entity=pl.col("subsidiary").cast(pl.Int64),
        s_on=pl.col("custcol_service_start").str.to_date("%Y-%m-%d"),
        e_on=pl.col("custcol_service_end").str.to_date("%Y-%m-%d"),
        invoiced_on=pl.col("trandate").str.to_date("%Y-%m-%d"),
        void_on=pl.col("reversaldate").str.to_date("%Y-%m-%d"),
        net=minor,
        net_func=minor,
    )
    return by_day(ready, spans).select("entity", "period", "amount")
