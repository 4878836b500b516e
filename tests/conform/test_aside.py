"""A mapping that does not run sets its system aside: what it gave stands, and the other systems go on."""

from pathlib import Path

import duckdb
import pytest

from finpipe import ingest
from finpipe.conform import ConformReport, conform
from finpipe.errors import FinpipeError
from finpipe.settings import Home
from finpipe.systems import System
from tests.conform.conftest import MAPPINGS, TABLES, Toy, tables

INVOICES = "select system, invoice_id, total_amount::varchar from canonical.invoices order by 1, 2"


class Two:
    """Two systems that feed the same entities: the toy, and another whose invoices say so in their ids."""

    def __init__(self, toy: Toy, folder: Path) -> None:
        self.toy = toy
        folder.mkdir(parents=True)
        (folder / "invoices.sql").write_text(MAPPINGS["invoices"].replace("key('erp', id)", "key('erp', 'o' || id)"))
        columns = {"invoice": TABLES["invoice"]}
        self.other = System("other", folder, "erp", "AR", "", tables(columns), {})
        toy.describe("other", columns)

    def bill(self, number: str, total: str) -> None:
        """One more invoice of both systems."""
        for system in ("toy", "other"):
            self.toy.deliver(system, "invoice", (number, "2024-01-31", "USD", total))

    def conform(self, *broken: str) -> ConformReport:
        systems = {s.name: s for s in (self.toy.system, self.other) if s.name not in broken}
        return conform(self.toy.home, self.toy.connection, systems, broken=broken)


@pytest.fixture
def two(toy: Toy, tmp_path: Path) -> Two:
    made = Two(toy, tmp_path / "sources" / "other")
    made.bill("1", "10")
    made.conform()
    return made


def test_what_it_gave_stands_and_the_others_go_on(two: Two) -> None:
    mapping = two.other.folder / "invoices.sql"
    sound = mapping.read_text()
    mapping.write_text(sound.replace("from invoice", "from invoices_of_old"))
    two.bill("2", "20")
    for _ in range(2):  # it is tried again at each pass
        report = two.conform()
        assert list(report.aside) == ["other"]
        assert report.aside["other"].where == str(mapping)
        assert two.toy.rows(INVOICES) == [
            ("other", "erp:o1", "10.0000"),
            ("toy", "erp:1", "10.0000"),
            ("toy", "erp:2", "20.0000"),
        ]
    mapping.write_text(sound)
    assert two.conform().aside == {}
    assert len(two.toy.rows(INVOICES)) == 4


def test_values_that_break_a_mapping_while_it_runs_do_not_stop_the_others(two: Two) -> None:
    mapping = two.other.folder / "invoices.sql"
    mapping.write_text(mapping.read_text().replace("total as gross_amount", "cast(total as integer) as gross_amount"))
    two.bill("2", "twenty")
    assert list(two.conform().aside) == ["other"]
    assert [row[1] for row in two.toy.rows(INVOICES)] == ["erp:o1", "erp:1"]
    assert two.toy.rows("select system, reasons is not null from quarantine.rows") == [("toy", True)]


def test_a_system_that_nobody_can_read_keeps_what_it_gave(two: Two) -> None:
    two.bill("2", "20")
    assert two.conform("other").aside == {}
    assert [row[1] for row in two.toy.rows(INVOICES)] == ["erp:o1", "erp:1", "erp:2"]
    two.conform()
    assert len(two.toy.rows(INVOICES)) == 4


def test_two_systems_that_tell_one_history_are_set_aside_together(two: Two) -> None:
    heir = System("heir", two.other.folder, "erp", "AR", "", {}, {"replaces": "toy"})
    broken = two.toy.system.folder / "invoices.sql"
    broken.write_text("select nothing")
    report = conform(two.toy.home, two.toy.connection, {"toy": two.toy.system, "heir": heir, "other": two.other})
    assert sorted(report.aside) == ["heir", "toy"]


def test_decisions_that_cannot_be_read_stop_the_pass(two: Two, tmp_path: Path) -> None:
    folder = tmp_path / "sources" / "decisions"
    folder.mkdir()
    (folder / "decisions.sql").write_text("select nothing")
    decisions = System("decisions", folder, "decisions", "controller", "", {}, {})
    with pytest.raises(FinpipeError, match="a mapping does not run"):
        conform(two.toy.home, two.toy.connection, {"decisions": decisions})
    with pytest.raises(duckdb.Error):
        two.toy.connection.execute("rollback")  # nothing is left open


def test_what_does_not_fit_into_memory_is_spilled_below_an_empty_scratch_folder(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "finpipe.toml").write_text('memory_limit = "30MB"\nthreads = 1\n', encoding="utf-8")
    with ingest.open_warehouse(home) as (connection, _):
        connection.execute("create temp table big as select i, md5(i::varchar) as text from range(1000000) as r(i)")
        assert list(home.scratch.rglob("*.tmp")), "nothing was spilled: the test asks for too little"


def test_no_room_to_spill_sets_no_system_aside_but_stops_the_pass(two: Two, tmp_path: Path) -> None:
    two.bill("2", "20")
    before = two.toy.rows(INVOICES)
    mapping = two.other.folder / "invoices.sql"
    mapping.write_text(mapping.read_text() + ", (select max(md5(i::varchar)) from range(3000000) as r(i) group by i)")
    two.toy.connection.execute("set memory_limit = '30MB'")
    two.toy.connection.execute(f"set temp_directory = '{tmp_path / 'no' / 'such'}'")
    with pytest.raises((duckdb.IOException, duckdb.OutOfMemoryException)):
        two.conform()
    assert two.toy.rows(INVOICES) == before
