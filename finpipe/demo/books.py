"""Entries no customer causes: capital, deposits of payouts, bank fees, revenue of a period, intercompany charges.

Belongs here: a few thousand documents made one by one, in the shape of ``ledger``. Does not: customers' documents.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from finpipe.demo.exact import times_ratio
from finpipe.demo.ledger import DOC_COLUMNS, lines_of
from finpipe.demo.treasury import SERVICE_USD, opening_balances
from finpipe.demo.world import ACCOUNT_ID, DIGITS, ENTITIES, RATE_SCALE, bank_ledger_id


def functional_of(amount: int, ccy: str, func: str, rate: int) -> int:
    """Translate one amount (small tables only; the bulk goes through ``billing.functional``)."""
    frame = pl.select(times_ratio(pl.lit(amount), pl.lit(rate * 10 ** DIGITS[func]), RATE_SCALE * 10 ** DIGITS[ccy]))
    return int(frame.item())


def company_books(
    payout: pl.DataFrame, fees: pl.DataFrame, revenue: pl.DataFrame, rates: pl.DataFrame, first_tid: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (headers, lines) of the entries no customer causes, numbered from ``first_tid`` without gaps."""
    book = _Book(first_tid, {(e, c, d): r for e, _, c, d, r in rates.iter_rows()})
    start = rates["day"].sort()[0]
    for entity, ccy, amount in opening_balances().iter_rows():
        accounts = (bank_ledger_id(entity, ccy), ACCOUNT_ID[3000])
        number = f"OPEN-{ENTITIES[entity - 1].code}-{ccy}"
        book.pair((entity, ccy, start), amount, accounts, tranid=number, memo="Share capital paid in")
    for row in payout.filter(pl.col("status") == "paid").iter_rows(named=True):
        book.deposit(row)
    for row in fees.iter_rows(named=True):
        where = (row["entity"], row["ccy"], row["value_on"])
        accounts = (ACCOUNT_ID[6110], bank_ledger_id(row["entity"], row["ccy"]))
        number = f"BKF-{row['e2e']}"
        book.pair(where, -row["amount"], accounts, tranid=number, memo=row["description"], ref=row["e2e"])
    for row in revenue.iter_rows(named=True):
        where = (row["entity"], ENTITIES[row["entity"] - 1].currency, row["seen_to"])
        number, memo = f"REV-{row['entity']}-{row['period']}", f"Revenue recognised {row['period_name']}"
        book.pair(where, row["amount"], (ACCOUNT_ID[2200], ACCOUNT_ID[4000]), tranid=number, memo=memo)
    _intercompany(book, rates)
    return book.frames()


def _intercompany(book: _Book, rates: pl.DataFrame) -> None:
    """The parent charges each subsidiary a monthly service fee in US dollars; both sides post on the same day."""
    for day in [d for d in rates["day"].unique().sort().to_list() if d.day == 15]:
        for e in ENTITIES[1:]:
            number, memo = f"IC-{day:%Y%m}-{e.code}", f"Service charge {day:%Y-%m} US to {e.code}"
            for entity, accounts in ((1, (1200, 4900)), (e.no, (6200, 2300))):
                debit, credit = (ACCOUNT_ID[a] for a in accounts)
                book.pair((entity, "USD", day), SERVICE_USD, (debit, credit), tranid=number, memo=memo)


class _Book:
    """Collects the few thousand entries made one by one."""

    def __init__(self, first_tid: int, rates: dict[tuple[int, str, date], int]) -> None:
        """Number from ``first_tid``; translate at ``rates``."""
        self.tid, self.rates = first_tid, rates
        self.docs: list[tuple[object, ...]] = []
        self.lines: list[tuple[int, int, int, int, int]] = []

    def _head(
        self, kind: str, where: tuple[int, str, date], total: int, tranid: str, memo: str, **more: str | None
    ) -> int:
        entity, ccy, day = where
        self.tid += 1
        func = ENTITIES[entity - 1].currency
        rate = self.rates.get((entity, ccy, day), RATE_SCALE)
        row = (
            self.tid,
            kind,
            None,
            entity,
            ccy,
            func,
            day,
            None,
            total,
            rate,
            tranid,
            more.get("ext"),
            memo,
            more.get("ref"),
        )
        self.docs.append(row)
        return rate

    def pair(
        self,
        where: tuple[int, str, date],
        amount: int,
        accounts: tuple[int, int],
        *,
        tranid: str,
        memo: str,
        ref: str | None = None,
    ) -> None:
        """Post a journal in (entity, currency, day): debit the first account and credit the second."""
        entity, ccy, _ = where
        rate = self._head("Journal", where, amount, tranid, memo, ref=ref)
        func = functional_of(amount, ccy, ENTITIES[entity - 1].currency, rate)
        for line, (account, sign) in enumerate(zip(accounts, (1, -1), strict=True)):
            self.lines.append((self.tid, line, account, amount * sign, func * sign))

    def deposit(self, payout: dict[str, Any]) -> None:
        """Post a payout that arrived: net to the bank, fees to expense, gross off the clearing account."""
        entity, ccy, id_ = payout["entity"], payout["ccy"], payout["payout"]
        amount, cleared, fees = payout["amount"], payout["cleared"], payout["fees"]
        memo = f"Stripe payout {id_} {payout['trace']}"
        self._head("Deposit", (entity, ccy, payout["arrival_on"]), amount, f"DEP-{id_}", memo, ext=id_)
        for line, (account, part) in enumerate(
            ((bank_ledger_id(entity, ccy), amount), (ACCOUNT_ID[1050], -cleared), (ACCOUNT_ID[6100], fees))
        ):
            self.lines.append((self.tid, line, account, part, part))

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return headers and lines in the shape of ``ledger``."""
        types = {"c": pl.Int64, "due_on": pl.Date, "ext": pl.String, "ref": pl.String}
        docs = pl.DataFrame(
            self.docs, schema=DOC_COLUMNS, orient="row", schema_overrides=types, infer_schema_length=None
        )
        lines = pl.DataFrame(self.lines, schema=["tid", "line", "account", "foreign", "func_amount"], orient="row")
        return docs, lines_of(lines)
