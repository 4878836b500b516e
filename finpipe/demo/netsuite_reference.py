"""What the ERP shows of itself: items, subsidiaries, accounts, periods, currencies and rates.

Belongs here: tables no customer changes. Does not: customers and documents (``netsuite``).
"""

from __future__ import annotations

import polars as pl

from finpipe.demo.exact import scaled_text
from finpipe.demo.ledger import ITEM_ALLOWANCE, ITEM_WRITE_OFF
from finpipe.demo.netsuite import ITEM_TAX, currency_ref, day_text, stamp, text
from finpipe.demo.salesforce import product_ref
from finpipe.demo.world import (
    ACCOUNTS,
    CURRENCY_ID,
    CURRENCY_NAME,
    DIGITS,
    ENTITIES,
    PRODUCTS,
    RATE_SCALE,
    Horizon,
    bank_ledger_id,
    entity_currencies,
    periods,
)

CLOSED_PERIODS = 20  # of the 24 told ones; the next two have receivables locked, the last two are open


def _flag(value: object) -> str:
    return "T" if value else "F"


def reference(rates: pl.DataFrame, spans: pl.DataFrame, horizon: Horizon) -> dict[str, pl.DataFrame]:
    """Return item, subsidiary, account, accountingperiod, currency, currencyrate and consolidatedexchangerate."""
    first = f"{horizon.start} 10:15:00"
    return {
        "item": _items(first), "subsidiary": _subsidiaries(first), "account": _accounts(first),
        "accountingperiod": _periods(horizon), "currency": _currencies(rates, horizon), "currencyrate": _rates(rates),
        "consolidatedexchangerate": _consolidated(rates, spans),
    }  # fmt: skip


def _items(first: str) -> pl.DataFrame:
    rows = [(no, f"P{no:03d}", name, "Service") for no, name, _, _, _ in PRODUCTS]
    rows += [(ITEM_ALLOWANCE, "ALLOWANCE", "Allowance", "Service"), (ITEM_WRITE_OFF, "BADDEBT", "Bad debt", "Service")]
    rows += [(ITEM_TAX, "TAX", "Sales tax or VAT", "TaxItem")]
    frame = pl.DataFrame(rows, schema=["product", "itemid", "displayname", "itemtype"], orient="row")
    return frame.select(
        id=text("product"), itemid="itemid", displayname="displayname", itemtype="itemtype",
        externalid=pl.when(pl.col("product") < ITEM_ALLOWANCE).then(product_ref()), isinactive=pl.lit("F"),
        createddate=pl.lit(first), lastmodifieddate=pl.lit(first),
    )  # fmt: skip


def _subsidiaries(first: str) -> pl.DataFrame:
    return pl.DataFrame([
        {"id": str(e.no), "name": e.code, "legalname": e.name, "currency": str(CURRENCY_ID[e.currency]),
         "parent": None if e.no == 1 else "1", "country": e.country, "iselimination": "F", "isinactive": "F",
         "fiscalcalendar": "2" if e.weekly_calendar else "1", "lastmodifieddate": first}
        for e in ENTITIES
    ], infer_schema_length=None)  # fmt: skip


def _accounts(first: str) -> pl.DataFrame:
    rows = [(id_, str(number), name, kind) for number, (id_, name, kind) in ACCOUNTS.items()]
    for e in ENTITIES:
        for ccy in entity_currencies(e):
            id_ = bank_ledger_id(e.no, ccy)
            rows.append((id_, str(id_), f"Bank {e.code} {ccy}", "Bank"))
    return pl.DataFrame([
        {"id": str(id_), "acctnumber": number, "accountsearchdisplayname": f"{number} {name}", "fullname": name,
         "accttype": kind, "parent": None, "isinactive": "F", "lastmodifieddate": first}
        for id_, number, name, kind in rows
    ], schema_overrides={"parent": pl.String})  # fmt: skip


def _periods(horizon: Horizon) -> pl.DataFrame:
    rows = []
    for calendar, index, period, name, first_on, last_on, _ in periods(horizon).iter_rows():
        closed, locked = index < CLOSED_PERIODS, index < CLOSED_PERIODS + 2
        rows.append(
            {
                "id": str(period),
                "periodname": name,
                "startdate": str(first_on),
                "enddate": str(last_on),
                "isquarter": "F",
                "isyear": "F",
                "isadjust": "F",
                "isposting": "T",
                "arlocked": _flag(locked),
                "alllocked": _flag(closed),
                "closed": _flag(closed),
                "closedondate": f"{last_on} 23:00:00" if closed else None,
                "parent": None,
                "fiscalcalendar": str(calendar + 1),
                "lastmodifieddate": f"{min(last_on, horizon.cut)} 23:00:00",
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"parent": pl.String})


def _currencies(rates: pl.DataFrame, horizon: Horizon) -> pl.DataFrame:
    at_cut = {c: r for e, _, c, d, r in rates.iter_rows() if e == 1 and d == horizon.cut}
    rows = [{"id": str(no), "name": CURRENCY_NAME[c], "symbol": c, "currencyprecision": str(DIGITS[c]),
             "isbasecurrency": _flag(c == "USD"), "rate": at_cut.get(c), "isinactive": "F",
             "lastmodifieddate": f"{horizon.start} 10:15:00"} for c, no in CURRENCY_ID.items()]  # fmt: skip
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(exchangerate=scaled_text(pl.col("rate"), 8)).drop("rate")


def _rates(rates: pl.DataFrame) -> pl.DataFrame:
    foreign = rates.filter(pl.col("func") != pl.col("ccy")).sort("entity", "ccy", "day")
    base = pl.col("func").replace_strict({k: str(v) for k, v in CURRENCY_ID.items()}, return_dtype=pl.String)
    return foreign.select(
        id=(pl.int_range(1, pl.len() + 1)).cast(pl.String),
        basecurrency=base,
        transactioncurrency=currency_ref(),
        effectivedate=day_text("day"),
        exchangerate=scaled_text(pl.col("rate"), 8),
        lastmodifieddate=stamp(pl.col("day"), 6),
    )


def _consolidated(rates: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """US dollars per functional unit: the mean of the period's days, the last day, and the first day of the horizon."""
    usd = rates.filter((pl.col("ccy") == "USD") & (pl.col("entity") > 1)).select("entity", "day", per_usd="rate")
    usd = usd.with_columns(value=(2 * RATE_SCALE * RATE_SCALE // pl.col("per_usd") + 1) // 2)
    frame = spans.filter(pl.col("entity") > 1).join(usd, on="entity", how="inner")
    frame = frame.filter(pl.col("day").is_between("first_on", "seen_to")).sort("entity", "period", "day")
    table = frame.group_by("entity", "period", maintain_order=True).agg(
        average=pl.col("value").sum() // pl.len(), closing=pl.col("value").last(), last_on=pl.col("seen_to").last()
    )
    own = pl.col("entity").replace_strict([e.no for e in ENTITIES], [str(CURRENCY_ID[e.currency]) for e in ENTITIES],
                                          return_dtype=pl.String)  # fmt: skip
    return table.select(
        id=(pl.int_range(1, pl.len() + 1)).cast(pl.String),
        postingperiod=text("period"),
        fromsubsidiary=text("entity"),
        tosubsidiary=pl.lit("1"),
        fromcurrency=own,
        tocurrency=pl.lit("1"),
        averagerate=scaled_text(pl.col("average"), 8),
        currentrate=scaled_text(pl.col("closing"), 8),
        historicalrate=scaled_text(pl.col("closing").first().over("entity"), 8),
        accountingbook=pl.lit("1"),
        lastmodifieddate=stamp(pl.col("last_on"), 20),
    )
