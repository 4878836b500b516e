"""A system that replaces another: records keep their first key, nothing counts twice, nothing is lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.conform import conform
from finpipe.systems import System

from .conftest import LINEAGE, MAPPINGS, TABLES, Toy, tables

MOVED = f"""select key('erp', 'documents/' || id) as migrated_record_id, 'documents' as id_space,
    key('erp', id) as record_key, key('erp', former) as former_key, {LINEAGE} from moved where former is not null"""
APPLIED = f"""select key('erp', paid) || '/' || invoice as application_id, 'payment_to_invoice' as kind,
    key('erp', paid) as from_id, key('erp', invoice) as to_id, '2024-02-01' as applied_on, 'USD' as currency,
    amount, {LINEAGE} from applied"""
ORDERED = f"""select key('crm', id) as opportunity_id, 'x' as stage, 'USD' as currency, '2024-01-01' as closes_on,
    'true' as is_closed, 'true' as is_won, key('erp', ref) as order_ref, {LINEAGE} from deal"""
MORE = {"moved": ("id", "former"), "applied": ("paid", "invoice", "amount"), "deal": ("id", "ref")}
Rows = tuple[tuple[str | None, ...], ...]


class Two(Toy):
    """The toy ERP, another one that replaces it, and a CRM that names documents of either."""

    def __init__(self, toy: Toy, folder: Path) -> None:
        """Describe the further systems beside the toy, which must be new."""
        self.home, self.connection, self.system = toy.home, toy.connection, toy.system
        (toy.system.folder / "applications.sql").write_text(APPLIED)
        self.systems = {"toy": toy.system}
        self._describe("toy_2", folder, "erp", MAPPINGS | {"applications": APPLIED, "migrated_records": MOVED}, "toy")
        self._describe("crm", folder, "crm", {"opportunities": ORDERED}, None)
        toy.system.tables["applied"] = self.systems["toy_2"].tables["applied"]
        self.describe("toy", {"applied": MORE["applied"]})

    def _describe(self, name: str, folder: Path, role: str, mappings: dict[str, str], replaces: str | None) -> None:
        (folder / name).mkdir(parents=True)
        for entity, sql in mappings.items():
            (folder / name / f"{entity}.sql").write_text(sql)
        settings: dict[str, Any] = {"replaces": replaces} if replaces else {}
        self.systems[name] = System(name, folder / name, role, "AR", "", tables(TABLES | MORE), settings)
        self.describe(name, TABLES | MORE)

    def says(self, system: str, table: str, *rows: tuple[str | None, ...]) -> None:
        """Let a system deliver rows."""
        self.deliver(system, table, *rows)

    def run(self) -> None:
        """Conform all systems."""
        conform(self.home, self.connection, self.systems)


def invoice(number: str, total: str) -> tuple[str, str, str, str]:
    return (number, "2024-01-02", "usd", total)


@pytest.fixture
def two(toy: Toy, tmp_path: Path) -> Two:
    found = Two(toy, tmp_path / "others")
    found.says("toy", "invoice", invoice("1", "100"), invoice("2", "50"))
    found.says("toy", "line", ("1/1", "1", "60"), ("1/2", "1", "40"), ("2/1", "2", "50"))
    found.says("toy", "applied", ("7", "1", "100"), ("8", "2", "10"))
    return found


def migrate(two: Two) -> None:
    """Invoice 1 and its payment move, the line of two becomes one, and a new invoice is made."""
    two.says("toy_2", "moved", ("901", "1"), ("907", "7"), ("902", None))
    two.says("toy_2", "invoice", invoice("901", "100"), invoice("902", "30"))
    two.says("toy_2", "line", ("901/1", "901", "100"), ("902/1", "902", "30"))
    two.says("toy_2", "applied", ("907", "901", "100"))


def test_before_it_has_anything_the_successor_changes_nothing(two: Two) -> None:
    two.run()
    assert two.rows("select invoice_id, system from canonical.invoices order by 1") == [
        ("erp:1", "toy"),
        ("erp:2", "toy"),
    ]


def test_a_migrated_record_keeps_its_key_and_counts_once(two: Two) -> None:
    two.run()
    migrate(two)
    two.run()
    assert two.rows("select invoice_id, system, source_id from canonical.invoices order by 1") == [
        ("erp:1", "toy_2", "1"),
        ("erp:2", "toy", "2"),
        ("erp:902", "toy_2", "902"),
    ]
    assert two.rows("select count(*) from quarantine.rows") == [(0,)]


def test_lines_go_with_their_header(two: Two) -> None:
    migrate(two)
    two.run()
    found = two.rows("select invoice_line_id, invoice_id, net_amount::int from canonical.invoice_lines order by 1")
    assert found == [("erp:1/1", "erp:1", 100), ("erp:2/1", "erp:2", 50), ("erp:902/1", "erp:902", 30)]


def test_an_application_moves_when_both_its_documents_did(two: Two) -> None:
    migrate(two)
    two.run()
    found = two.rows("select application_id, from_id, to_id, system from canonical.applications order by 1")
    assert found == [("erp:7/1", "erp:7", "erp:1", "toy_2"), ("erp:8/2", "erp:8", "erp:2", "toy")]


def test_what_was_set_aside_is_written_down(two: Two) -> None:
    migrate(two)
    two.run()
    found = two.rows("select entity, system, count(*) from ledger.replaced_rows group by all order by 1")
    assert found == [("applications", "toy", 1), ("invoice_lines", "toy", 2), ("invoices", "toy", 1)]


def test_a_refused_version_of_the_successor_still_replaces(two: Two) -> None:
    two.says("toy_2", "moved", ("901", "1"))
    two.says("toy_2", "invoice", invoice("901", "a hundred"))
    two.run()
    assert two.rows("select invoice_id from canonical.invoices order by 1") == [("erp:2",)]
    assert two.rows("select system, row_key from quarantine.rows where entity = 'invoices'") == [("toy_2", "erp:1")]


def test_other_systems_may_name_a_record_by_either_id(two: Two) -> None:
    migrate(two)
    two.says("crm", "deal", ("a", "1"), ("b", "901"), ("c", "902"), ("d", None))
    two.run()
    found = two.rows("select opportunity_id, order_ref from canonical.opportunities order by 1")
    assert found == [("crm:a", "erp:1"), ("crm:b", "erp:1"), ("crm:c", "erp:902"), ("crm:d", None)]


def test_ids_that_changed_places_are_told_apart(two: Two) -> None:
    two.says("toy_2", "moved", ("2", "1"), ("1", "2"))
    two.says("toy_2", "invoice", invoice("2", "101"), invoice("1", "51"))
    two.says("crm", "deal", ("a", "1"), ("b", "2"))  # of another role: the ids of before are meant
    two.run()
    found = two.rows("select invoice_id, total_amount::int from canonical.invoices order by 1")
    assert found == [("erp:1", 101), ("erp:2", 51)]
    assert two.rows("select order_ref from canonical.opportunities order by 1") == [("erp:1",), ("erp:2",)]


def test_a_reference_of_before_is_followed_once_the_record_moved(two: Two) -> None:
    two.says("crm", "deal", ("b", "901"))
    two.run()
    assert two.rows("select order_ref from canonical.opportunities") == [("erp:901",)]
    migrate(two)
    two.run()
    assert two.rows("select order_ref from canonical.opportunities") == [("erp:1",)]


def test_an_id_that_both_systems_gave_to_different_records_is_refused(two: Two) -> None:
    migrate(two)
    two.says("toy_2", "invoice", invoice("2", "70"))  # no former id: a new invoice under an id of the old system
    two.run()
    assert two.rows("select invoice_id from canonical.invoices order by 1") == [("erp:1",), ("erp:902",)]
    [reason] = two.rows("select distinct reasons from quarantine.rows where entity = 'invoices'")
    assert "claimed by more than one record, of toy and toy_2" in str(reason[0])


def test_without_former_ids_equal_ids_are_the_same_record(two: Two) -> None:
    two.says("toy_2", "invoice", invoice("2", "70"))
    two.says("toy_2", "line", ("2/a", "2", "70"))
    two.run()
    found = two.rows("select invoice_id, system, total_amount::int from canonical.invoices order by 1")
    assert found == [("erp:1", "toy", 100), ("erp:2", "toy_2", 70)]
    assert two.rows("select invoice_line_id from canonical.invoice_lines where invoice_id = 'erp:2'") == [("erp:2/a",)]


def test_the_order_of_events_does_not_show(two: Two, toy: Toy) -> None:
    def state() -> list[tuple[Any, ...]]:
        return two.rows("select invoice_id, system, row_hash from canonical.invoices order by 1")

    migrate(two)
    two.run()
    once = state()
    two.connection.execute("delete from ledger.conformed")
    two.run()
    assert state() == once
    two.says("toy", "invoice", invoice("3", "1"))
    two.run()
    assert [r for r in state() if r[0] != "erp:3"] == once


@pytest.fixture
def branch(toy: Toy) -> Callable[[dict[str, str]], System]:
    def make(prefixes: dict[str, str]) -> System:
        toy.system = System("toy", toy.system.folder, "erp", "AR", "", toy.system.tables, {"key_prefixes": prefixes})
        return toy.system

    return make


def test_a_prefix_keeps_ids_of_two_accounts_apart(toy: Toy, branch: Callable[[dict[str, str]], System]) -> None:
    branch({"erp": "uk."})
    toy.give("invoice", invoice("1", "100"))
    toy.conform()
    assert toy.rows("select invoice_id, source_id from canonical.invoices") == [("erp:uk.1", "1")]


def test_keys_of_a_migrated_record_are_unique(two: Two, warehouse: duckdb.DuckDBPyConnection) -> None:
    two.says("toy_2", "moved", ("901", "1"), ("903", "1"))
    two.says("toy_2", "invoice", invoice("901", "100"), invoice("903", "100"))
    two.run()
    [reason] = two.rows("select distinct reasons from quarantine.rows where entity = 'invoices'")
    assert "erp:1 is claimed by more than one record" in str(reason[0])
