"""What really happened, for one block of accounts: every table of truth the extracts and the books are drawn from.

Belongs here: the order in which the modules build on each other. Does not: any rule of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from finpipe.demo import billing, cash, contracts, customers, ids, ledger, revenue, salesforce, treasury
from finpipe.demo.exact import Chance
from finpipe.demo.world import ACCOUNT_ID, Horizon, entity_periods, fx_rates


@dataclass(frozen=True)
class World:
    """What all blocks share: the seed's chances, the horizon, the rates and the entities' periods."""

    seed: int
    chance: Chance
    horizon: Horizon
    rates: pl.DataFrame
    spans: pl.DataFrame

    @classmethod
    def of(cls, seed: int, horizon: Horizon) -> World:
        """Make the shared tables."""
        return cls(seed, Chance(seed), horizon, fx_rates(seed, horizon), entity_periods(horizon))


@dataclass(frozen=True)
class Block:
    """The life of a run of accounts. Each member's grain stands in the module that makes it."""

    accounts: pl.DataFrame
    deals: pl.DataFrame
    contract_lines: pl.DataFrame
    invoice_lines: pl.DataFrame
    invoices: pl.DataFrame  # with their settlement plan
    credits: pl.DataFrame
    payments: pl.DataFrame
    parts: pl.DataFrame
    applications: pl.DataFrame
    refunds: pl.DataFrame
    disputes: pl.DataFrame
    documents: pl.DataFrame
    entries: pl.DataFrame
    revenue: pl.DataFrame  # of subscriptions, by the day
    sales: pl.DataFrame  # revenue of usage and services, at once
    movements: pl.DataFrame
    wires: pl.DataFrame


def live(low: int, high: int, world: World) -> Block:
    """Tell the life of accounts ``low`` to ``high - 1``."""
    chance, horizon, rates = world.chance, world.horizon, world.rates
    accounts = customers.accounts(low, high, chance, horizon)
    plan = contracts.plans(accounts.filter(pl.col("role") == 1), chance, horizon)
    deals = contracts.deals(plan, chance, horizon)
    promised = contracts.contract_lines(deals, chance)
    lines = billing.invoice_lines(promised, rates, chance, horizon)
    invoices = cash.planned(billing.invoices(lines, accounts), chance, horizon)
    credit = cash.credit_notes(invoices, lines, chance)
    payments, parts = cash.payments(invoices, credit, rates)
    applied = cash.applications(invoices, credit, parts)
    refunds = cash.refunds(credit, payments, rates)
    disputes = cash.disputes(payments, chance)
    journals, journal_lines = ledger.dispute_books(disputes)
    documents = pl.concat([
        ledger.invoice_docs(invoices), ledger.credit_docs(credit), ledger.payment_docs(payments),
        ledger.refund_docs(refunds), journals,
    ])  # fmt: skip
    entries = pl.concat([
        ledger.invoice_lines(invoices, lines), ledger.credit_lines(credit, invoices, lines, applied),
        ledger.payment_lines(payments, applied), ledger.refund_lines(refunds, payments), journal_lines,
    ])  # fmt: skip
    return Block(
        accounts, salesforce.won(deals, promised), promised, lines, invoices, credit, payments, parts, applied, refunds,
        disputes, documents.sort("tid"), with_heads(entries, documents), revenue.recognised(lines, world.spans),
        revenue.at_once(lines, world.spans), treasury.movements(payments, refunds, disputes),
        treasury.wires(payments, parts, refunds, accounts),
    )  # fmt: skip


def with_heads(entries: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """Add to each ledger line what its document says: type, account, entity, currencies, date, rate."""
    heads = documents.select("tid", "type", "c", "entity", "ccy", "func", "dated_on", "rate")
    return entries.join(heads, on="tid", how="left", maintain_order="left").sort("tid", "line")


def order_documents(deals: pl.DataFrame, promised: pl.DataFrame, world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (headers, lines) of the ERP's sales orders: non-posting, one per won deal, over the contracted value."""
    frame = cash.with_rate(deals, world.rates, "signed_on")
    none = pl.lit(None, dtype=pl.String)
    docs = frame.select(
        tid=ids.order_tid(pl.col("deal")),
        type=pl.lit("SalesOrd"),
        c="c",
        entity="entity",
        ccy="ccy",
        func="func",
        dated_on="signed_on",
        due_on=pl.lit(None, dtype=pl.Date),
        total="tcv",
        rate="rate",
        tranid=pl.lit("SO-") + pl.col("deal").cast(pl.String),
        ext=ids.salesforce("006", pl.col("deal")),
        memo=none,
        ref=none,
    )
    zero = pl.lit(0, dtype=pl.Int64)
    tid = ids.order_tid(pl.col("deal"))
    receivable = pl.lit(ACCOUNT_ID[1100])
    lines = pl.concat([
        ledger.lines_of(frame, tid=tid, line=zero, account=receivable, foreign=pl.col("tcv"), func_amount=zero),
        ledger.lines_of(promised, tid=tid, line=pl.col("line") + 1, account=receivable, foreign=-pl.col("tcv"),
                        func_amount=zero, item=pl.col("product"), quantity=pl.col("quantity"),
                        price=pl.col("price") * (100 - pl.col("disc_pct")) // 100,
                        s_on=pl.col("seg_start"), e_on=pl.col("seg_end")),
    ])  # fmt: skip
    return docs, with_heads(lines, docs)
