"""Exceptions against planted faults: which fault was found, which exception is a follow-on, which is false.

Belongs here: how planted records are named in a queue of exceptions, and the matching. Does not: running anything.

A fault is *found* when an exception of its code names one of its records. One that names a fault's record under
another code is *secondary*: true, and said apart. One that names what is honestly open at the cut is *timing*. Any
other is *false*.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from finpipe.demo.faults import CODES
from finpipe.demo.world import USD_PER_UNIT

_ROLES = ("crm", "billing", "erp", "bank")
_APART = re.compile(r"\||#| → ")
Row = dict[str, str | None]


@dataclass(frozen=True)
class Raised:
    """One exception of the published queue."""

    code: str
    names: frozenset[str]
    amount: Decimal
    currency: str
    sentence: str


@dataclass
class Tally:
    """What became of one code. Money in US dollars at the generator's nominal rates, to weigh currencies alike."""

    code: str
    planted: int = 0
    found: int = 0
    exact: int = 0  # found, and one exception has the planted amount
    raised: int = 0  # exceptions that name a fault of their code
    secondary: int = 0
    timing: int = 0
    false: int = 0
    planted_usd: Decimal = Decimal(0)
    found_usd: Decimal = Decimal(0)
    raised_usd: Decimal = Decimal(0)
    false_usd: Decimal = Decimal(0)

    def add(self, other: Tally) -> None:
        """Add another company's tally of the same code."""
        for name in self.__dataclass_fields__:
            if name != "code":
                setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Matched:
    """All codes of one company, and what a person would ask to see."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    missed: list[Row] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    follow_on: dict[str, int] = field(default_factory=dict)  # "code of the fault → code of the exception"

    def of(self, code: str) -> Tally:
        """Return the tally of a code."""
        return self.tallies.setdefault(code, Tally(code))


def raised_in(database: Path) -> list[Raised]:
    """Read the exceptions of a published snapshot."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select code, left_key, right_key, coalesce(amount, 0), coalesce(currency, 'USD'), sentence "
            "from main.exceptions order by code, exception_id"
        ).fetchall()
    return [Raised(r[0], _pieces(r[1]) | _pieces(r[2]), abs(r[3]), r[4], r[5]) for r in rows]


def _pieces(key: str | None) -> frozenset[str]:
    """Split a key such as ``erp:7 → erp:9`` or ``erp:7/1|erp:2|Jan 2024`` into the names it holds."""
    found: set[str] = set()
    for piece in _APART.split(key or ""):
        found |= {piece, piece.rpartition("/")[2] if "." in piece else piece}  # a file without its folder
        if re.fullmatch(r"erp:\d+/\d+|billing:\w+/[A-Z]{3}", piece):
            found.add(piece.partition("/")[0])  # a line names its document, a sum in one currency what it is of
    return frozenset(found - {""})


def codes_covered(project: Path) -> frozenset[str]:
    """Return the codes that any model, macro or stage of the pipeline can raise: those its text states in quotes."""
    texts = [p for part in ("models", "macros") for p in sorted((project / "dbt_project" / part).rglob("*.sql"))]
    texts += [p for p in sorted((project / "finpipe").rglob("*.py")) if "demo" not in p.parts]
    whole = "\n".join(p.read_text(encoding="utf-8") for p in texts)
    return frozenset(code for code in CODES if re.search(rf"['\"]{code}['\"]", whole))


def matched(company: Path, raised: list[Raised]) -> Matched:
    """Match the exceptions raised over a company with what was planted in it."""
    faults: list[Row] = _csv(company / "truth" / "faults.csv").to_dicts()
    named = _Names(company)
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, fault in enumerate(faults):
        for name in named.of(fault):
            by_name[name].append(number)
    timing = {f"billing:{r}" for r in _csv(company / "truth" / "timing.csv")["record"]}
    result, hits = Matched(), defaultdict(list)
    for one in raised:
        of_any = sorted({n for name in one.names for n in by_name.get(name, ())})
        of_code = [n for n in of_any if faults[n]["code"] == one.code]
        for n in of_code:
            hits[n].append(one.amount)
        _count(result, one, [str(faults[n]["code"]) for n in of_any], is_own=bool(of_code), open_=timing)
    for number, fault in enumerate(faults):
        _settle(result, fault, hits.get(number))
    return result


def _count(result: Matched, one: Raised, codes: list[str], *, is_own: bool, open_: set[str]) -> None:
    tally = result.of(one.code)
    if is_own:
        tally.raised += 1
        tally.raised_usd += usd(one.amount, one.currency)
    elif codes:
        tally.secondary += 1
        pair = f"{codes[0]} → {one.code}"
        result.follow_on[pair] = result.follow_on.get(pair, 0) + 1
    elif one.names & open_:
        tally.timing += 1
    else:
        tally.false += 1
        tally.false_usd += usd(one.amount, one.currency)
        result.false.append(f"{one.code}: {one.sentence}")


def _settle(result: Matched, fault: Row, amounts: list[Decimal] | None) -> None:
    tally, planted = result.of(str(fault["code"])), Decimal(fault["amount"] or 0)
    worth = usd(planted, str(fault["currency"]))
    tally.planted += 1
    tally.planted_usd += worth
    if amounts is None:
        result.missed.append(fault)
        return
    tally.found += 1
    tally.found_usd += worth
    tally.exact += planted in amounts


def usd(amount: Decimal, currency: str) -> Decimal:
    """Weigh an amount in US dollars at the nominal rate."""
    return (amount * USD_PER_UNIT.get(currency, 0) / USD_PER_UNIT["USD"]).quantize(Decimal("0.01"))


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


class _Names:
    """How the queue names planted records: ``<role>:<id>``, a statement's line by account, statement and number."""

    def __init__(self, company: Path) -> None:
        extracts = company / "extracts"
        self.bank = _csv(extracts / "bank" / "statement.csv").sort("account_id", "booking_date", maintain_order=True)
        statements = self.bank["statement_id"].unique(maintain_order=True).to_list()
        self.following = dict(zip(statements, [*statements[1:], ""], strict=True))
        documents = _csv(extracts / "netsuite" / "transaction.csv").select("id", "tranid", "type", "otherrefnum")
        journals = documents.filter(pl.col("type") == "Journal")
        self.by_number = dict(journals.select("tranid", "id").iter_rows())
        self.bank_reference = dict(journals.drop_nulls("otherrefnum").select("id", "otherrefnum").iter_rows())

    def of(self, fault: Row) -> set[str]:
        """Return every name of the records a fault touches."""
        record, related = str(fault["record_id"]), fault["related_id"]
        names = {f"{role}:{id_}" for role in _ROLES for id_ in (record, related) if id_} | {record}
        if fault["table"] == "transactionline":
            names |= {f"erp:{int(record) // 64}/{int(record) % 64}", f"erp:{int(record) // 64}"}
        elif fault["table"] == "statement":
            names |= self._lines(record)
        elif fault["table"] == "currencyrate" and related:
            pair, day = related.split()
            both = (f"{pair[3:]}>{pair[:3]}", f"{pair[:3]}>{pair[3:]}")
            names |= {f"{p}@{when}" for p in both for when in (day, day[:7])}
        elif record in self.by_number:  # the other side of an intercompany pair has the same number
            names.add(f"erp:{self.by_number[record]}")
        elif record in self.bank_reference:  # the bank line that a journal records
            names |= self._lines(self.bank_reference[record])
        return names

    def _lines(self, record: str) -> set[str]:
        """Name the lines of a reference; of a statement, its own lines and the next one's, where a gap shows."""
        rows = self.bank.filter((pl.col("statement_id") == record) | (pl.col("end_to_end_reference") == record))
        is_statement = record in self.following
        if is_statement:
            rows = self.bank.filter(pl.col("statement_id").is_in([record, self.following[record]]))
        found = {f"bank:{r['account_id']}:{r['statement_id']}:{r['line_number']}" for r in rows.iter_rows(named=True)}
        ends = rows.iter_rows(named=True) if is_statement else ()
        return found | {f"{r['account_id']}/{r['currency']}@{r['booking_date']}" for r in ends}
