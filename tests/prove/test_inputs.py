"""Hostile files: each is read without a loss or refused with a sentence, and none stops the others.

Belongs here: taking the files of ``hostile_files`` through LAND, LOAD and the gate, and judging what came of each.
Does not belong here: the files.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from finpipe.conform import conform
from finpipe.ingest import land, load, open_raw, open_warehouse
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from tests.conftest import SHARED_DATA
from tests.ingest.conftest import SHOP
from tests.prove.hostile_files import COLUMNS, Hostile, once, own_files, public_files, same
from tests.prove.verdicts import Proof

#: The test's system as sent in other dialects.
DIALECTS = {
    "western": 'encoding = "cp1252"',
    "japanese": 'encoding = "shift_jis"',
    "wide": 'encoding = "utf-16"',
    "semicolon": 'delimiter = ";"',
}
INVOICES = """
select key('billing', id) as invoice_id, 'invoice' as kind, 'posted' as status, created as issued_on, currency,
    total as gross_amount, '0' as discount_amount, total as net_amount, '0' as tax_amount, total as total_amount,
    false as is_deleted, null as valid_from, 'invoice' as source_table, _load_seq as load_seq, _row as row_number
from invoice
"""


def company(root: Path) -> Home:
    """An empty home that knows the test's system, in every dialect, beside those that are shipped."""
    home = Home(root / "home", root / "sources")
    for name in ("shop", *DIALECTS):
        folder = root / "sources" / name
        folder.mkdir(parents=True)
        dialect = f"[csv]\n{DIALECTS[name]}\n" if name in DIALECTS else ""
        (folder / "system.toml").write_text(SHOP + dialect, encoding="utf-8")
    (root / "sources" / "shop" / "invoices.sql").write_text(INVOICES, encoding="utf-8")
    return home


class Outcome:
    """What became of all files: verdicts by file, raw rows by file, and what the gate said of each invoice."""

    def __init__(self, home: Home, root: Path, files: Sequence[Hostile]) -> None:
        systems = find_systems(home)
        self.at_the_door: dict[tuple[str, str], str] = {}
        for name in sorted({f.at for f in files}):
            paths = [_write(root / name / f.name, f.content) for f in files if f.at == name]
            for landed in land(home, systems[name], paths):
                if landed.verdict == "refused":
                    self.at_the_door[name, landed.path.name] = landed.reason
        with open_raw(home) as (connection, _):
            report = load(home, connection, systems)
            self.loaded = {(f.system, f.original_name): f for f in report.files}
            self.raw: dict[tuple[str, str, int], list[tuple[str | None, ...]]] = {}
            for name in {s for s, _ in self.loaded}:
                self._keep(connection, systems[name])
        with open_warehouse(home) as (connection, _):
            conform(home, connection, {"shop": systems["shop"]})
            self.amounts = {r[0]: r[1:] for r in connection.execute(
                "select source_id, total_amount, issued_on::varchar from canonical.invoices").fetchall()}  # fmt: skip
            self.quarantined = {r[0] for r in connection.execute(
                "select substr(row_key, 9) from quarantine.rows where reasons <> ''").fetchall()}  # fmt: skip

    def _keep(self, connection: object, system: System) -> None:
        for table, columns in (("customer", COLUMNS), ("invoice", ("id", "total"))):
            if table in system.tables and set(columns) <= set(system.tables[table].column_names):
                rows = connection.execute(  # type: ignore[attr-defined]
                    f"select _load_seq, {', '.join(columns)} from raw_{system.name}.{table} order by _load_seq, _row"
                ).fetchall()
                for seq, *values in rows:
                    self.raw.setdefault((system.name, table, seq), []).append(tuple(values))

    def fault(self, file: Hostile) -> str:
        """What is wrong with what became of a file; nothing when it is as expected."""
        if reason := self.at_the_door.get((file.at, file.name)):
            return "" if file.refused and file.refused.strip() in reason else f"not landed: {reason}"
        if (found := self.loaded.get((file.at, file.name))) is None:
            return "nothing became of it"
        may_be_refused = file.rows is None or file.refused.startswith("?")
        if found.verdict == "refused":
            words = file.refused.strip("? ")
            is_right = may_be_refused and words in found.reason and found.fix
            return "" if is_right else f"refused: {found.reason[:200]}"
        if file.rows is None:
            return f"read, {found.rows} rows"
        rows = self.raw.get((file.at, file.name.split("_")[0], found.load_seq), [])
        if not _equal(rows, file):
            return f"read otherwise: {str(rows)[:200]} where {str(file.rows)[:200]} was sent"
        return self._fault_of_gate(file)

    def _fault_of_gate(self, file: Hostile) -> str:
        if not (expected := file.amount or file.day) or not file.rows:
            return ""
        key = str(file.rows[0][0])
        amount, day = self.amounts.get(key, (None, None))
        if expected == "refused":
            return "" if amount is None and key in self.quarantined else f"accepted as {amount} on {day}"
        is_right = amount == Decimal(file.amount) if file.amount else day == file.day
        return "" if is_right else f"the gate made {amount} on {day} of it"


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _equal(rows: list[tuple[str | None, ...]], file: Hostile) -> bool:
    expected = [(*row, *[None] * (len(COLUMNS) - len(row))) for row in file.rows or ()]
    if len(rows) != len(expected):
        return False
    cells = ((a, b) for row, said in zip(rows, expected, strict=True) for a, b in zip(row, said, strict=False))
    return all(same(a, b, is_loose=file.is_loose) for a, b in cells)


def files_to_try(proof: Proof) -> list[Hostile]:
    """All of our own; of the public suites, where they are there, some in the ordinary run and all in full."""
    own, folder = own_files(), SHARED_DATA / "robustness"
    if not folder.is_dir():
        proof.figures["public suites"] = "skipped: not beside the checkout"
        return once(own)
    public = public_files(folder)
    some = proof.random.sample(public, min(len(public), proof.size(slice=30, full=len(public))))
    proof.figures["public suites"] = len(some)
    return once(own + some)


@pytest.mark.prove_inputs
def test_every_hostile_file_gets_its_verdict_and_none_stops_the_others(proof: Proof, tmp_path: Path) -> None:
    files = files_to_try(proof)
    outcome = Outcome(company(tmp_path), tmp_path / "incoming", files)
    verdicts: Counter[str] = Counter()
    for file in files:
        proof.trials += 1
        verdicts["refused" if file.rows is None else "read"] += 1
        if fault := outcome.fault(file):
            proof.deviated(f"{file.at}/{file.name} {file.content[:60]!r}: {fault}")
    proof.figures |= {"to be read": verdicts["read"], "to be refused": verdicts["refused"]}
    assert proof.trials >= 200
    proof.conclude()
