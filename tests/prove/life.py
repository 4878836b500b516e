"""A small company's life as rules: files land, loads run and crash, the database is lost, figures are signed.

Belongs here: the rules, the points at which a step is broken off, and the plain-Python model of what must be there.
Does not belong here: how many lives are tried (``test_laws``).
"""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from finpipe import ingest
from finpipe.conform import run as conform_run
from finpipe.ingest import Decision, heal, landing, ledger, raw
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from tests.line import load_and_conform
from tests.prove.verdicts import Proof

SYSTEM = """
role = "billing"
owner = "billing"
[tables.invoice]
key = ["id"]
version = ["changed"]
required = ["id", "total"]
measure = "total"
columns = ["id", "total", "changed"]
"""
MAPPING = """
select key('billing', id) as invoice_id, 'invoice' as kind, 'posted' as status, '2024-01-02' as issued_on,
    'USD' as currency, total as gross_amount, '0' as discount_amount, total as net_amount, '0' as tax_amount,
    total as total_amount, false as is_deleted, null as valid_from, 'invoice' as source_table, _load_seq as load_seq,
    _row as row_number
from invoice
"""
#: What is broken off, by name: module and function of which the call does not come back, and whether it was done.
CRASHES: dict[str, tuple[Any, str, bool]] = {
    "before a copied file is admitted": (landing, "admit", False),
    "before the manifest is written": (landing, "write_synced", False),
    "after a file is admitted": (landing, "admit", True),
    "before rows are admitted": (raw, "admit", False),
    "after rows, before the ledger": (raw, "admit", True),
    "after the ledger, before the commit": (ledger, "write", True),
    "before the witness": (heal, "conclude", False),
    "after the witness": (ledger, "write_witness", True),
    "in the middle of conform": (conform_run, "pass_gate", True),
}
amounts = st.sampled_from(["10", "10.5", "-3.25", "N/A", "1,000", "0.0001", "99999999999999.9999"])
files = st.lists(
    st.tuples(st.integers(1, 2), amounts, st.integers(1, 3)), min_size=1, max_size=2, unique_by=lambda row: row[0]
)


class Crash(BaseException):
    """The process is gone: nothing catches this, nothing cleans up after it."""


@contextmanager
def broken_off(point: str | None) -> Iterator[None]:
    """Break off what runs at a named point; elsewhere it runs to its end."""
    if point is None:
        yield
        return
    module, name, is_done = CRASHES[point]
    original = getattr(module, name)

    def falls(*arguments: Any, **named: Any) -> None:
        if is_done:
            original(*arguments, **named)
        raise Crash(point)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, falls)
        try:
            yield
        except Crash:
            return


class Life(RuleBasedStateMachine):
    """One home, and what must be in it. Each step counts as a trial of ``proof``."""

    root: Path
    proof: Proof
    numbers = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.root / f"life-{next(self.numbers)}"
        self.home = Home(self.folder / "home", self.folder / "sources")
        described = self.folder / "sources" / "till"
        described.mkdir(parents=True)
        (described / "system.toml").write_text(SYSTEM, encoding="utf-8")
        (described / "invoices.sql").write_text(MAPPING, encoding="utf-8")
        self.systems: dict[str, System] = {
            n: s for n, s in find_systems(self.home).items() if n in ("till", "decisions")
        }
        self.landed: list[tuple[tuple[int, str, int], ...]] = []
        self.decided: dict[str, str] = {}
        self.is_current = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(rows=files, point=st.sampled_from([*[None] * 6, *list(CRASHES)[:3]]))
    def land(self, rows: list[tuple[int, str, int]], point: str | None) -> None:
        """A file arrives; a crash in between leaves it there wholly or not at all."""
        self.proof.trials += 1
        text = "id,total,changed\n" + "".join(f'{i},"{t}",2024-01-0{c}\n' for i, t, c in rows)
        path = self.folder / "drop" / f"invoice_{len(self.landed)}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        with broken_off(point):
            ingest.land(self.home, self.systems["till"], [path])
        is_there = point in (None, "after a file is admitted")
        if is_there and tuple(rows) not in self.landed:
            self.landed.append(tuple(rows))
            self.is_current = False

    @rule(point=st.sampled_from([*[None] * 9, *list(CRASHES)[3:]]))
    def run(self, point: str | None) -> None:
        """Load and conform what landed, perhaps broken off."""
        self.proof.trials += 1
        with broken_off(point):
            self._load_and_conform()
            self.is_current = True

    @rule()
    def lose_the_database(self) -> None:
        """The working database is a cache: it may be gone at any time, and replay brings it back."""
        self.proof.trials += 1
        self.home.warehouse.unlink(missing_ok=True)
        Path(f"{self.home.warehouse}.wal").unlink(missing_ok=True)
        self.is_current = False

    @rule(by=st.sampled_from(["ann", "bo"]))
    def sign(self, by: str) -> None:
        """What stands is signed: the decision with its figures is landed, and stays as signed whatever comes."""
        self.proof.trials += 1
        total = str(sum(self._expected().values(), Decimal(0)))
        name = f"d{len(self.decided)}"
        at = datetime(2024, 2, 1, 12, len(self.decided) % 60, tzinfo=UTC)
        decision = Decision(
            "close_signoff", "till/2024-01-31", by, "month end", date(2024, 1, 31), {"total": total}, name, at
        )
        ingest.decide(self.home, [decision])
        self.decided[name] = total
        self.is_current = False

    def _load_and_conform(self) -> None:
        load_and_conform(self.home, self.systems)

    def _newest(self) -> dict[str, str]:
        """Each invoice as the newest row says: by time of change, then by which came last."""
        found: dict[str, tuple[int, str]] = {}
        for rows in self.landed:
            for number, total, changed in rows:
                if changed >= found.get(str(number), (0, ""))[0]:
                    found[str(number)] = (changed, total)
        return {number: total for number, (_, total) in found.items()}

    def _expected(self) -> dict[str, Decimal]:
        return {n: Decimal(t) for n, t in self._newest().items() if t not in ("N/A", "1,000")}

    @invariant()
    def all_that_landed_is_there_once(self) -> None:
        if not self.is_current:
            return
        with ingest.open_raw(self.home) as (connection, _):
            rows = connection.execute("select count(*) from raw_till.invoice").fetchall()[0][0]
            problems = ingest.verify(self.home, connection)
        with ingest.open_warehouse(self.home) as (connection, _):
            kept = dict(connection.execute("select source_id, total_amount from canonical.invoices").fetchall())
            refused = {r[0] for r in connection.execute("select row_key from quarantine.rows").fetchall()}
            signed = dict(
                connection.execute("select source_id, payload ->> 'total' from canonical.decisions").fetchall()
            )
        assert rows == sum(map(len, self.landed))
        assert kept == self._expected()
        assert refused == {f"billing:{n}" for n in self._newest()} - {f"billing:{n}" for n in kept}
        assert signed == self.decided
        assert problems == []


def life_of(root: Path, proof: Proof) -> type[Life]:
    """The machine of lives below a folder."""
    return type("LifeHere", (Life,), {"root": root, "proof": proof})
