"""Marts equal what plain Python makes of the canonical rows: on the samples and on companies of fixed seeds."""

import fcntl
import os
import shutil
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.demo import pipeline
from finpipe.demo.score import company_of
from finpipe.settings import PROJECT
from tests.published import SCALE, SEED

from . import judge

#: Seeds of the ordinary suite; FINPIPE_SEEDS=5,6,7 adds others.
SEEDS = (f"{SEED}:none", f"{SEED}:all", *(f"{s}:all" for s in os.environ.get("FINPIPE_SEEDS", "").split(",") if s))
AS_OF = "2025-07-15"  # soon after the samples' last day
ENTITIES = ("opportunities", "opportunity_lines", "invoices", "invoice_lines", "payments", "applications",
            "legal_entities", "products", "accounting_periods")  # fmt: skip


class Snapshot:
    """A publication: canonical tables as rows, and questions to its marts."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.tables = {name: self.rows(f"from canonical.{name}") for name in ENTITIES}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            answer = connection.execute(sql)
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def golden(self) -> dict[str, str]:
        """Record of a customer → golden customer."""
        return {alias: r["customer_id"] for r in self.rows("from customers") for alias in r["aliases"].split(" ")}


def sample_database(root: Path) -> Path:
    home = root / "samples-home"
    database = home / "published" / "current" / "finance.duckdb"
    if not database.exists():
        company = root / "samples"
        shutil.rmtree(company, ignore_errors=True)
        (company / "extracts").mkdir(parents=True)
        (company / "finpipe.toml").write_text("")
        for sample in PROJECT.glob("sources/*/sample"):
            shutil.copytree(sample, company / "extracts" / sample.parent.name)
        pipeline.publish(company, home, AS_OF)
    return database


@pytest.fixture(scope="module", params=("samples", *SEEDS))
def snapshot(request: pytest.FixtureRequest, published: Path) -> Snapshot:
    if request.param == "samples":
        with (published / "samples.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return Snapshot(sample_database(published))
    seed, _, faults = request.param.partition(":")
    return Snapshot(company_of(published, int(seed), SCALE, faults).database)


def sums(pairs: Any) -> dict[Any, Decimal]:
    """Sum amounts by key, zeros left out."""
    found: dict[Any, Decimal] = defaultdict(Decimal)
    for key, amount in pairs:
        found[key] += amount
    return {key: amount for key, amount in found.items() if amount}


def test_bookings_are_the_signed_lines(snapshot: Snapshot) -> None:
    own = judge.bookings(snapshot.tables)
    mart = snapshot.rows("from bookings")
    assert own
    assert sums(((b.opportunity_id, b.opportunity_line_id, b.booked_on, b.currency), b.tcv) for b in own) == sums(
        ((r["opportunity_id"], r["opportunity_line_id"], r["booked_on"], r["currency"]), r["tcv_amount"]) for r in mart
    )
    assert len(own) == len(mart)


def test_billings_are_issued_documents_without_tax(snapshot: Snapshot) -> None:
    own = judge.billings(snapshot.tables)
    mart = snapshot.rows("from billings")
    for column, part in (("net_amount", 0), ("tax_amount", 1)):
        made = sums(((r["invoice_id"], r["billed_on"], r["is_reversal"]), r[column]) for r in mart)
        assert made == sums((key, amounts[part]) for key, amounts in own.items())


def test_collections_are_money_at_its_value_date(snapshot: Snapshot) -> None:
    own = judge.collections(snapshot.tables)
    mart = {r["collection_id"]: r for r in snapshot.rows("from collections")}
    assert set(mart) == set(own)
    for id_, c in own.items():
        made = mart[id_]
        assert (made["collected_on"], made["currency"], made["amount"]) == (c.on, c.currency, c.amount), id_
        split = (made["applied_amount"], made["unapplied_amount"], made["refunded_amount"], made["charged_back_amount"])
        assert split == (c.applied, c.unapplied, c.refunded, c.charged_back), id_


def test_quarters_sum_to_the_three_figures(snapshot: Snapshot) -> None:
    tables, mart = snapshot.tables, snapshot.rows("from bookings_billings_collections")
    currency = {r["invoice_id"]: r["currency"] for r in tables["invoices"]}
    figures = {
        "bookings_amount": (((judge.quarter(b.booked_on), b.currency), b.tcv) for b in judge.bookings(tables)),
        "billings_amount": (
            ((judge.quarter(day), currency[id_]), net) for (id_, day, _), (net, _) in judge.billings(tables).items()
        ),
        "collections_amount": (
            ((judge.quarter(c.on), c.currency), c.amount) for c in judge.collections(tables).values()
        ),
    }
    for column, own in figures.items():
        assert sums(((r["quarter"], r["currency"]), r[column]) for r in mart) == sums(own), column


def test_aging_is_what_is_open_by_due_date(snapshot: Snapshot) -> None:
    columns = [*(name for name, _ in judge.BUCKETS), "days_over_120_amount", "unapplied_amount", "credit_amount"]
    mart = snapshot.rows("from ar_aging")
    days = sorted({r["as_of_on"] for r in mart})
    golden = snapshot.golden()
    own = judge.aging(snapshot.tables, days)
    assert len(days) > 6
    assert all(isinstance(day, date) for day in days)
    made = sums(
        ((r["as_of_on"], r["legal_entity_id"], r["customer_id"] or "", r["currency"], c), r[c])
        for r in mart
        for c in columns
    )
    assert made == sums(((d, e, golden.get(k, k), ccy, col), v) for (d, e, k, ccy, col), v in own.items())


def test_deferred_revenue_is_what_is_billed_and_not_yet_earned(snapshot: Snapshot) -> None:
    mart = snapshot.rows("from deferred_rollforward")
    cut = date.fromisoformat(str(snapshot.rows("select as_of from publication")[0]["as_of"]))
    ends = sorted({r["period_ends_on"] for r in mart})
    assert len(ends) > 6
    for end in {*ends[::3], ends[-1]}:
        # The period of the cut is told up to the cut.
        own = judge.deferred_at(snapshot.tables, end, min(end, cut))
        made = {(r["legal_entity_id"], r["currency"]): r["closing_amount"] for r in mart if r["period_ends_on"] == end}
        assert {k: v for k, v in made.items() if v} == {k: v for k, v in own.items() if k in made}, end
