"""Live sources are watched by a mark of their own: a fetch happens when it moved, and who is silent holds up nobody."""

import sqlite3
import time
from pathlib import Path

import pytest

from finpipe.ingest import fetch_new, look_live
from finpipe.ingest.landing import manifests
from finpipe.settings import Home
from finpipe.systems import System, find_systems
from tests.ingest.test_fetch import EXTRACT, TOML

NEWEST = '''

def newest(settings):
    """How many rows there are, and the last time any of them changed."""
    import sqlite3
    path = settings["database"]["url"].removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute("select count(*), max(changed_at) from ledger_entry").fetchone()
'''


class Ledgers:
    """Systems of one product, each over a database of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "home", root / "sources")

    def add(self, name: str, newest: str = NEWEST) -> None:
        folder = self.root / "sources" / name
        folder.mkdir(parents=True)
        (folder / "system.toml").write_text(TOML.format(path=self.path(name)))
        (folder / "extract.py").write_text(EXTRACT + newest)
        with sqlite3.connect(self.path(name)) as database:
            columns = "id integer primary key, amount decimal(18,4), memo text, changed_at timestamp"
            database.execute(f"create table ledger_entry ({columns})")
        self.post(name, 1)

    def path(self, name: str) -> Path:
        return self.root / f"{name}.sqlite"

    def post(self, name: str, number: int) -> None:
        with sqlite3.connect(self.path(name)) as database:
            stamp = f"2024-01-{number:02} 00:00:00.000000"
            database.execute("insert into ledger_entry values (?, 10.10, 'a', ?)", (number, stamp))

    @property
    def systems(self) -> dict[str, System]:
        return {n: s for n, s in find_systems(self.home).items() if n.startswith("ledger")}

    def new(self) -> list[str]:
        return sorted(look_live(self.home, self.systems.values()).new)

    def fetch(self) -> tuple[int, list[str]]:
        """How many files landed, and who could not be fetched."""
        landed, broken = fetch_new(self.home, self.systems)
        return sum(f.verdict == "landed" for f in landed), sorted(broken)


@pytest.fixture
def ledgers(tmp_path: Path) -> Ledgers:
    return Ledgers(tmp_path)


def test_a_fetch_happens_when_there_is_something_new_and_only_then(ledgers: Ledgers) -> None:
    ledgers.add("ledger")
    assert ledgers.new() == ["ledger"]
    assert ledgers.fetch() == (1, [])
    assert ledgers.new() == []
    assert ledgers.fetch() == (0, [])
    ledgers.post("ledger", 2)
    assert ledgers.new() == ["ledger"]
    assert ledgers.fetch() == (1, [])
    (ledgers.home.cursors / "ledger").unlink()  # a lost mark costs a fetch, and lands nothing twice
    assert ledgers.new() == ["ledger"]
    assert ledgers.fetch() == (0, [])
    assert len(manifests(ledgers.home)) == 2


def test_a_source_that_refuses_is_set_aside_and_the_others_are_fetched(ledgers: Ledgers) -> None:
    for name in ("ledger_a", "ledger_b"):
        ledgers.add(name)
    away = ledgers.path("ledger_a").rename(ledgers.root / "away")
    assert ledgers.new() == ["ledger_b"]
    landed, broken = fetch_new(ledgers.home, ledgers.systems)
    assert [f.verdict for f in landed] == ["landed"]
    problem = broken["ledger_a"]
    assert problem.error == "ledger_a does not answer"
    assert "unable to open database file" in problem.got
    away.rename(ledgers.path("ledger_a"))
    assert ledgers.fetch() == (1, [])


def test_a_source_that_answers_but_cannot_be_fetched_is_asked_for_again(ledgers: Ledgers) -> None:
    ledgers.add("ledger", NEWEST.replace("select count(*), max(changed_at) from ledger_entry", "select 1"))
    with sqlite3.connect(ledgers.path("ledger")) as database:
        database.execute("drop table ledger_entry")
    assert ledgers.fetch() == (0, ["ledger"])
    assert ledgers.new() == ["ledger"]


def test_a_source_that_hangs_is_given_up_and_asked_once(ledgers: Ledgers) -> None:
    ledgers.add("ledger_a")
    ledgers.add("ledger_b", "\n\ndef newest(settings):\n    import time\n    time.sleep(3)\n    return 1\n")
    for _ in range(2):
        began = time.monotonic()
        found = look_live(ledgers.home, ledgers.systems.values(), seconds=1)
        assert time.monotonic() - began < 2.5
        assert (sorted(found.new), sorted(found.broken)) == (["ledger_a"], ["ledger_b"])


@pytest.mark.parametrize("broken", ["raise SystemError('x')", "return settings['nothing']", "import nothing_at_all"])
def test_whatever_a_companys_code_does_is_told_in_a_sentence(ledgers: Ledgers, broken: str) -> None:
    ledgers.add("ledger", f"\n\ndef newest(settings):\n    {broken}\n")
    found = look_live(ledgers.home, ledgers.systems.values())
    assert found.broken["ledger"].error == "ledger does not answer"


def test_addresses_are_told_without_their_passwords(ledgers: Ledgers) -> None:
    raises = "raise ValueError('postgresql://ann:secret@db.example.com/books refuses')"
    ledgers.add("ledger", f"\n\ndef newest(settings):\n    {raises}\n")
    got = look_live(ledgers.home, ledgers.systems.values()).broken["ledger"].got
    assert "secret" not in got
    assert "db.example.com" in got


def test_a_system_that_states_no_mark_is_fetched_by_hand_alone(ledgers: Ledgers) -> None:
    ledgers.add("ledger", "")
    assert ledgers.new() == []
    assert ledgers.fetch() == (0, [])
