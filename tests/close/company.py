"""A small clean company whose figures are settled without a whole run: only what a close moves is built again.

Belongs here: making it, settling it, and what happens to it.  Does not belong here: what is expected.
"""

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe import ingest
from finpipe.build import run as build_run
from finpipe.build.dbt import invoke
from finpipe.demo import generate
from finpipe.orchestration.publish import publish_audited
from finpipe.settings import Home
from finpipe.systems import find_systems
from tests.line import load_and_conform

AS_OF = date(2024, 12, 31)
LATE_AT = "2025-01-05 09:00:00"
#: Models that a late document moves, that a decision about a period moves, and that one about an exception does.
#: No reconciliation but R17 changes here.
DOCUMENTS = """
int_documents__posted int_applications__effective ar_ledger billings int_revenue_lines__termed
int_recognition_periods__split revenue_schedule trial_balance
"""
CLOSES = """
int_periods__decided int_closes__signed int_figures__compared int_closed_periods__adjusted ar_rollforward
deferred_rollforward rec_figures_closed__figures_now periods closings restatements
ar_rollforward_holds_every_movement closed_periods_stand_as_signed ar_opens_where_it_closed
deferred_revenue_opens_where_it_closed
"""
QUEUE = """
int_exceptions__found int_exceptions__witnessed int_exceptions__decided exceptions exception_history reconciliations
"""


def make(root: Path) -> tuple[Home, Path]:
    """Land what ERP and billing of a company without faults say; returns its home and its extracts."""
    made = generate(5, 0.002, "none", root / "company").out
    home = Home(root / "home")
    home.root.mkdir()
    shutil.copy(made / "finpipe.toml", home.root)
    for system in ("netsuite", "stripe"):
        ingest.land(home, find_systems(home)[system], sorted((made / "extracts" / system).iterdir()))
    return home, made / "extracts"


def settle(home: Home, *models: str) -> None:
    """Load, conform, build and publish: some models with tests of the close, or all of those they stand on, without."""

    def only(command: list[str], **given: Any) -> bool:
        assert "build" in command
        if models:
            asked = ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "empty", "--select"]
            return invoke(["--no-write-json", *asked, *" ".join(models).split()], **given)
        known = [f"+{name}" for name in (DOCUMENTS + CLOSES + QUEUE).split()]
        return invoke(["--no-write-json", "run", "--select", *known], **given)

    load_and_conform(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_run, "invoke", only)
        report = build_run.build(home, AS_OF)
    wrong = [n for n in report.nodes.values() if not n.is_good]
    assert report.verdict == "passed", wrong
    publish_audited(home, lambda _: None)


def asked(home: Home, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the publication in force."""
    with duckdb.connect(str(home.published / "current" / "finance.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def bill_late(home: Home, extracts: Path, folder: Path) -> str:
    """Land a copy of an August invoice of the first entity, made in January; returns its total."""
    read = {name: _rows(extracts / "netsuite" / f"{name}.csv") for name in ("transaction", "transactionline")}
    read["transactionaccountingline"] = _rows(extracts / "netsuite" / "transactionaccountingline.csv")
    entity = {line["transaction"]: line["subsidiary"] for line in read["transactionline"]}
    august = [
        t
        for t in read["transaction"]
        if t["type"] == "CustInvc" and t["trandate"][:7] == "2024-08" and (entity[t["id"]], t["currency"]) == ("1", "1")
    ]
    copied = august[0]["id"]
    late = {"id": "990001", "tranid": "LATE-1", "externalid": "", "createddate": LATE_AT, "lastmodifieddate": LATE_AT}
    late["lastmodifiedby"] = "1207"
    lines = [line for line in read["transactionline"] if line["transaction"] == copied]
    posted = [line for line in read["transactionaccountingline"] if line["transaction"] == copied]
    moved = {"transaction": "990001"}
    folder.mkdir()
    _write(folder / "transaction.csv", [{**august[0], **late}])
    numbered = [
        {**line, **moved, "uniquekey": str(9_000_000 + n), "linelastmodifieddate": LATE_AT}
        for n, line in enumerate(lines)
    ]
    _write(folder / "transactionline.csv", numbered)
    _write(
        folder / "transactionaccountingline.csv", [{**line, **moved, "lastmodifieddate": LATE_AT} for line in posted]
    )
    ingest.land(home, find_systems(home)["netsuite"], sorted(folder.iterdir()))
    return august[0]["foreigntotal"]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
