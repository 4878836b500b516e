"""Faults in what crosses customers: bank, payouts, journals, intercompany, rates, revenue.

Belongs here: one function per code. Does not: mechanics (``plan``).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl

from finpipe.demo.faults.edits import ACCOUNTING, LINE, TRANSACTION, Row, shifted
from finpipe.demo.faults.plan import PER_CURRENCY, Planter, text_of
from finpipe.demo.world import ACCOUNT_ID, CURRENCY_ID, DIGITS, ENTITIES, list_price

RATE = "netsuite/currencyrate.csv"


class CompanyPlanter(Planter):
    """A planter that also knows payouts, the company's own documents, and the next free ERP id."""

    def __init__(self, base: Planter, payout: pl.DataFrame, documents: pl.DataFrame, next_tid: int) -> None:
        """Plant into what ``base`` holds; number new documents after ``next_tid``."""
        super().__init__(base.world, base.extracts, base.register)
        self.payout, self.documents, self.next_tid = payout, documents, next_tid
        self.files: dict[str, bytes] = {}  # name below extracts/ -> bytes that no frame could give

    def some(self, code: str, frame: pl.DataFrame, per: str = "entity") -> list[Row]:
        """Return PER_CURRENCY rows per entity, drawn by document or payout."""
        drawn = frame.with_columns(_draw=self.world.chance.draw(pl.int_range(pl.len()), code)).sort(per, "_draw")
        return drawn.group_by(per, maintain_order=True).head(PER_CURRENCY).to_dicts()

    def journal(self, v: Row, day: object, minor: int, accounts: tuple[int, int], **header: str) -> str:
        """Add a journal in the entity's functional currency: debit the first account, credit the second."""
        self.next_tid += 1
        ccy = ENTITIES[v["entity"] - 1].currency
        amount, tid = text_of(minor, ccy), self.next_tid
        _, period = self.period(v["entity"], day)
        head: Row = {
            "id": str(tid),
            "tranid": f"JE-{tid}",
            "transactionnumber": f"TN{tid}",
            "type": "Journal",
            "trandate": str(day),
            "postingperiod": period,
            "currency": str(CURRENCY_ID[ccy]),
            "exchangerate": "1.00000000",
            "foreigntotal": amount,
            "status": "Journal:B",
            "posting": "T",
            "voided": "F",
            "createddate": f"{day} 09:15:00",
            "lastmodifieddate": f"{day} 17:15:00",
        }
        self.edits.add(TRANSACTION, head | dict(header))
        for line, (account, sign) in enumerate(zip(accounts, ("", "-"), strict=True)):
            self.edits.add(
                LINE,
                {
                    "uniquekey": str(tid * 64 + line),
                    "transaction": str(tid),
                    "id": str(line),
                    "linesequencenumber": str(line),
                    "mainline": "T" if line == 0 else "F",
                    "taxline": "F",
                    "foreignamount": sign + amount,
                    "netamount": sign + amount,
                    "subsidiary": str(v["entity"]),
                    "isclosed": "F",
                    "linelastmodifieddate": f"{day} 09:15:00",
                },
            )
            self.edits.add(
                ACCOUNTING,
                {
                    "transaction": str(tid),
                    "transactionline": str(line),
                    "accountingbook": "1",
                    "account": str(account),
                    "amount": sign + amount,
                    "debit": None if sign else amount,
                    "credit": amount if sign else None,
                    "netamount": sign + amount,
                    "posting": "T",
                    "exchangerate": "1.00000000",
                    "lastmodifieddate": f"{day} 09:15:00",
                },
            )
        return str(tid)


def bank_faults(entries: pl.DataFrame, planter: Planter, payout: pl.DataFrame, codes: frozenset[str]) -> pl.DataFrame:
    """PAYOUT-TRANSIT: a payout called paid that never reached the bank. BANK-UNKNOWN: money nobody can explain."""
    if "PAYOUT-TRANSIT" in codes:
        paid = payout.filter(pl.col("status") == "paid")
        drawn = paid.with_columns(_d=planter.world.chance.draw(pl.int_range(pl.len()), "transit")).sort("entity", "_d")
        gone = drawn.group_by("entity", maintain_order=True).head(PER_CURRENCY)
        entries = entries.filter(~pl.col("key").is_in(gone["payout"].implode()))
        for v in gone.to_dicts():
            planter.note("PAYOUT-TRANSIT", "stripe/payout", v["payout"], v, amount=v["amount"], day=v["arrival_on"])
    if "BANK-UNKNOWN" in codes:
        entries = pl.concat([entries, _unknown(planter, entries)])
    return entries


def _unknown(planter: Planter, entries: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for e in ENTITIES:
        for n in range(PER_CURRENCY):
            day = planter.world.horizon.start + timedelta(days=100 + 211 * n + 17 * e.no)
            amount = list_price(70_000 + 1_300 * e.no + 9_100 * n, e.currency) + 7
            ref = f"UNK{e.no}{n:07d}"
            rows.append((e.no, e.currency, day, amount, ref, "SUNDRY CREDIT", "Unknown remitter", ref))
            planter.note(
                "BANK-UNKNOWN", "bank/statement", ref, {"entity": e.no, "ccy": e.currency}, amount=amount, day=day
            )
    return pl.DataFrame(rows, schema=entries.columns, orient="row")


def statement_gap(p: CompanyPlanter) -> None:
    """SEQ: a line was cut out of a bank statement: line numbers jump and the running balance breaks."""
    lines = p.extracts["bank/statement.csv"].sort("account_id", "booking_date", maintain_order=True)
    # A gap shows between two lines: the first and the last statement of an account are left whole.
    months = lines["booking_date"].str.slice(0, 7)
    inner = lines.filter((months != months.min()) & (months != months.max()))
    # Nor is a statement's only line cut out: of that the whole statement would be missing.
    fees = inner.filter(pl.col("description").str.starts_with("ACCOUNT FEE") & (pl.col("line_number") != "1"))
    frame = fees.with_columns(
        entity=pl.col("account_id").str.slice(0, 2).cast(pl.Int64), ccy="currency", day="value_date"
    )
    own = {e.no: e.currency for e in ENTITIES}
    for v in p.some("SEQ", frame.filter(pl.col("ccy") == pl.col("entity").replace_strict(own, return_dtype=pl.String))):
        p.edits.drop("bank/statement.csv", v["bank_reference"])
        minor = abs(int(v["amount"].replace(".", "")))
        day = p.world.horizon.start.fromisoformat(v["day"])
        p.note("SEQ", "bank/statement", v["statement_id"], v, amount=minor, day=day, related=v["bank_reference"])


def journal_unbalanced(p: CompanyPlanter) -> None:
    """JE-UNBALANCED: a bank-fee journal whose expense line was changed after posting."""
    fees = p.documents.filter(pl.col("tranid").str.starts_with("BKF-") & (pl.col("ccy") == pl.col("func")))
    for v in p.some("JE-UNBALANCED", fees):
        minor = list_price(900, v["ccy"])
        p.shift_line(v["tid"], 0, Decimal(0), Decimal(minor).scaleb(-DIGITS[v["func"]]))
        p.note("JE-UNBALANCED", TRANSACTION, str(v["tid"]), v, amount=minor, day=v["dated_on"])


def journal_on_control(p: CompanyPlanter) -> None:
    """JE-MANUAL-CONTROL: a journal by hand on the receivable control account, for no customer."""
    for e in ENTITIES:
        for n in range(PER_CURRENCY):
            v = {"entity": e.no, "ccy": e.currency}
            day = p.world.horizon.cut - timedelta(days=20 + 9 * n + e.no)
            minor = list_price(33_000 + 4_000 * n, e.currency)
            tid = p.journal(v, day, minor, (ACCOUNT_ID[1100], ACCOUNT_ID[4100]), memo="Reclass receivables")
            p.note("JE-MANUAL-CONTROL", TRANSACTION, tid, v, amount=minor, day=day)


def journal_in_closed_period(p: CompanyPlanter) -> None:
    """JE-CLOSED-PERIOD: a journal dated in a closed period, made after it was closed."""
    made = f"{p.world.horizon.cut - timedelta(days=5)} 11:00:00"
    for e in ENTITIES:
        for n in range(PER_CURRENCY):
            v = {"entity": e.no, "ccy": e.currency}
            day = p.world.horizon.start + timedelta(days=140 + 65 * n + e.no)
            minor = list_price(21_000 + 2_000 * n, e.currency)
            tid = p.journal(v, day, minor, (ACCOUNT_ID[6110], ACCOUNT_ID[2100]), memo="Late accrual", createddate=made,
                            lastmodifieddate=made)  # fmt: skip
            p.note("JE-CLOSED-PERIOD", TRANSACTION, tid, v, amount=minor, day=day)


def intercompany_unpaired(p: CompanyPlanter) -> None:
    """IC-UNPAIRED: the subsidiary never posted its side of an intercompany charge."""
    pairs = p.documents.filter(pl.col("tranid").str.starts_with("IC-") & (pl.col("entity") > 1))
    for v in p.some("IC-UNPAIRED", pairs):
        p.remove_document(v["tid"])
        p.note("IC-UNPAIRED", TRANSACTION, v["tranid"], v, amount=v["total"], day=v["dated_on"])


def rate_missing(p: CompanyPlanter) -> None:
    """FX-MISSING: the ERP's rate table has no rate for a currency on a day."""
    for e in ENTITIES:
        for ccy in e.foreign:
            day = p.world.horizon.start + timedelta(days=133 + 31 * e.no + CURRENCY_ID[ccy])
            pair = (pl.col("basecurrency") == str(CURRENCY_ID[e.currency])) & (pl.col("effectivedate") == str(day))
            row = p.extracts[RATE].filter(pair & (pl.col("transactioncurrency") == str(CURRENCY_ID[ccy]))).to_dicts()[0]
            p.edits.drop(RATE, row["id"])
            p.note(
                "FX-MISSING",
                RATE,
                row["id"],
                {"entity": e.no, "ccy": ccy},
                amount=0,
                day=day,
                related=f"{e.currency}{ccy} {day}",
            )


def revenue_schedule(p: CompanyPlanter) -> None:
    """REV-SCHEDULE: a revenue journal recognises more than the schedules say."""
    journals = p.documents.filter(pl.col("tranid").str.starts_with("REV-"))
    for v in p.some("REV-SCHEDULE", journals):
        minor = v["total"] // 25 + list_price(5_000, v["ccy"])
        p.shift_document(v["tid"], 1, minor, v)
        p.note("REV-SCHEDULE", TRANSACTION, str(v["tid"]), v, amount=minor, day=v["dated_on"])


def revenue_unplanned(p: CompanyPlanter) -> None:
    """REV-UNPLANNED: revenue taken out of deferred by hand, with no schedule behind it."""
    for e in ENTITIES:
        for n in range(PER_CURRENCY):
            v = {"entity": e.no, "ccy": e.currency}
            day = p.world.horizon.cut - timedelta(days=30 + 7 * n + e.no)
            minor = list_price(52_000 + 6_000 * n, e.currency)
            tid = p.journal(
                v, day, minor, (ACCOUNT_ID[2200], ACCOUNT_ID[4000]), memo="Manual release of deferred revenue"
            )
            p.note("REV-UNPLANNED", TRANSACTION, tid, v, amount=minor, day=day)


def wrong_totals(p: CompanyPlanter) -> None:
    """CTRL-TOTAL: a payout is not the sum of its parts; a statement's line is not what its running balance says."""
    _payout_part_changed(p)
    _bank_line_changed(p)


def _payout_part_changed(p: CompanyPlanter) -> None:
    """The processor's own monthly charge stands in the balance with another amount than the payout was made of."""
    name = "stripe/balance_transaction.jsonl"
    paid = p.payout.filter(pl.col("status") == "paid").select("payout", "entity", "ccy", "created_on")
    own = p.extracts[name].filter(pl.col("type") == "stripe_fee").select("id", "payout")
    own = own.unique("payout", keep="first", maintain_order=True)  # several months may leave with one payout
    for v in p.some("CTRL-TOTAL payout", own.join(paid, on="payout", how="inner", maintain_order="left")):
        delta = list_price(700, v["ccy"])

        def alter(row: Row, by: int = delta) -> None:
            row.update(amount=row["amount"] - by, net=row["net"] - by)

        p.edits.alter(name, v["id"], alter)
        p.note("CTRL-TOTAL", "stripe/payout", v["payout"], v, amount=delta, day=v["created_on"], related=v["id"])


def _bank_line_changed(p: CompanyPlanter) -> None:
    """A line of a foreign-currency account shows another amount than the balances before and after it say."""
    name, own = "bank/statement.csv", {e.no: e.currency for e in ENTITIES}
    lines = p.extracts[name].with_columns(
        entity=pl.col("account_id").str.slice(0, 2).cast(pl.Int64), ccy="currency", day="value_date"
    )
    foreign = pl.col("ccy") != pl.col("entity").replace_strict(own, return_dtype=pl.String)
    # Where nothing stands before a line on its statement, it cannot be told from one that is missing.
    inner = (pl.col("line_number") != "1") & pl.col("description").str.starts_with("ACCOUNT FEE")
    for v in p.some("CTRL-TOTAL bank", lines.filter(foreign & inner)):
        minor = list_price(400, v["ccy"])
        less = Decimal(minor).scaleb(-DIGITS[v["ccy"]])

        def alter(row: Row, by: Decimal = less) -> None:
            row["amount"] = shifted(row["amount"], -by)

        p.edits.alter(name, v["bank_reference"], alter)
        day = p.world.horizon.start.fromisoformat(v["day"])
        p.note("CTRL-TOTAL", "bank/statement", v["statement_id"], v, amount=minor, day=day, related=v["bank_reference"])


def unmapped_item() -> Row:
    """Return the ERP item that no other system knows."""
    stamp = "2023-01-01 10:15:00"
    return {
        "id": "901",
        "itemid": "LEGACY-901",
        "displayname": "Legacy licence",
        "itemtype": "Service",
        "externalid": None,
        "isinactive": "F",
        "createddate": stamp,
        "lastmodifieddate": stamp,
    }
