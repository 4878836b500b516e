"""What holds for every system: each folder below sources/ is described, documented, mapped and sampled."""

import json
import re
from pathlib import Path

import pytest

from finpipe.conform.macros import define
from finpipe.contracts import entities, own_columns
from finpipe.contracts.base import MAPPING_COLUMNS
from finpipe.ingest import land
from finpipe.settings import PROJECT, Home
from finpipe.systems import System, read_system
from finpipe.warehouse import connect
from tests.line import load_and_conform

DESCRIPTIONS = sorted((PROJECT / "sources").glob("*/system.toml"))
SYSTEMS = {d.parent.name: d for d in DESCRIPTIONS}
MAPPINGS = sorted(p for d in DESCRIPTIONS for p in d.parent.glob("[a-z]*.sql"))

#: What a version looks like in prose: a date, a vX.Y, "Bulk API 2.0", "SR 2011".
VERSION = re.compile(r"version|API|\bv?\d+\.\d+\b|20\d\d-\d\d", re.IGNORECASE)


@pytest.fixture(params=SYSTEMS, ids=str)
def system(request: pytest.FixtureRequest) -> System:
    return read_system(SYSTEMS[request.param], {})


def test_there_are_systems() -> None:
    assert set(SYSTEMS) >= {"salesforce", "stripe", "netsuite", "bank"}


def test_the_description_reads_and_says_what_the_system_is(system: System) -> None:
    assert system.tables
    assert system.about
    assert system.owner != "data platform", "say who owns the system"


def test_keys_and_rules_name_columns_that_are_there(system: System) -> None:
    for table in system.tables.values():
        assert len(set(table.column_names)) == len(table.column_names), table.name
        if table.measure:
            assert table.measure in table.column_names, table.name
        for place in table.embedded:
            assert place.split(".")[0] in system.tables, f"{table.name}: {place} names no table"


def test_the_readme_says_versions_quirks_and_what_is_left_out(system: System) -> None:
    text = (system.folder / "README.md").read_text(encoding="utf-8")
    assert VERSION.search(text), "name the version of the API or format"
    assert re.search(r"not taken|left out|leaves out", text, re.IGNORECASE), "say what is deliberately not taken"
    for name in system.references:
        assert name in text, f"the reference {name} is not explained"
    for name in system.settings.get("variables", {}):
        assert name in text, f"the variable {name} is not explained"


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_every_mapping_feeds_an_entity_and_starts_with_its_grain(path: Path) -> None:
    assert path.stem in entities(), f"{path.stem} is no canonical entity: {', '.join(entities())}"
    assert path.read_text(encoding="utf-8").lstrip().startswith("--"), "open with a sentence: what one row is"


def test_every_mapping_states_columns_of_its_contract_and_all_that_are_required(system: System, home: Home) -> None:
    assert system.mappings
    load_and_conform(home, {system.name: system})  # raises for a mapping that does not run on empty tables
    with connect(home, home.raw) as connection:
        define(connection, system, home.config)
        connection.execute(f"set search_path = 'latest_{system.name}'")
        for name, path in system.shared.items():
            connection.execute(f"create temp table {name} as {path.read_text(encoding='utf-8').strip().rstrip(';')}")
        for entity, path in system.mappings.items():
            select = path.read_text(encoding="utf-8").strip().rstrip(";")
            given = {row[0] for row in connection.execute(f"describe {select}").fetchall()}
            own = own_columns(entities()[entity])
            assert given <= {c.name for c in own} | set(MAPPING_COLUMNS), entity
            assert given >= {c.name for c in own if not c.nullable} | set(MAPPING_COLUMNS), entity


def test_the_samples_land_load_and_conform_with_only_the_refusals_they_document(system: System, tmp_path: Path) -> None:
    samples = sorted(p for p in (system.folder / "sample").rglob("*") if p.is_file() and p.suffix != ".md")
    assert samples, "samples feed the demo and this test"
    home = Home(tmp_path / "home")
    landed = land(home, system, samples)
    assert [(r.path.name, r.reason) for r in landed if r.verdict == "refused"] == []
    loaded, _ = load_and_conform(home, {system.name: system})
    assert loaded.refused == []
    with connect(home) as connection:
        refused = connection.execute('select entity, row_key, reasons, "row" from quarantine.rows').fetchall()
        fed = {
            entity: connection.execute(f"select count(*) from canonical.{entity}").fetchall()[0][0]
            for entity in system.mappings
        }
    documented = _documented(system.name)
    assert [r[:3] for r in refused if not any(_is_about(r, d) for d in documented)] == []
    assert [d for d in documented if not any(_is_about(r, d) for r in refused)] == []
    # Only a system that replaces another is asked which records it took over: see test_netsuite.
    silent = [entity for entity, rows in fed.items() if not rows and entity != "migrated_records"]
    assert silent == [], "a mapping that the samples never feed"


def _documented(system: str) -> list[dict[str, str]]:
    """The rows of a system's samples that are wrong on purpose, as tests/sample_company states them."""
    expected = json.loads((PROJECT / "tests" / "sample_company" / "expected.json").read_text(encoding="utf-8"))
    return [r for r in expected["refused"] if r["file"].startswith(f"{system}/")]


def _is_about(refused: tuple[str, str, str, str], documented: dict[str, str]) -> bool:
    """Whether a row in quarantine is the documented one: its id or its bad value stands in it."""
    return documented["id"] in (refused[1] or "") or documented["value"] in refused[2]
