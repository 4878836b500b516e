"""dbt's own unit tests: each rule of the models on a handful of rows. A build does not run them, so this does."""

import json
from collections import Counter
from datetime import date
from typing import Any

import pytest

from finpipe.build import build
from finpipe.build.dbt import invoke
from finpipe.build.manifest import DBT_PROJECT
from finpipe.build.run import variables
from finpipe.settings import Home
from tests.line import load_and_conform

AS_OF = date(2024, 6, 30)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Status and message of every unit test, over the tables of an empty company."""
    home = Home(tmp_path_factory.mktemp("rules") / "home")
    load_and_conform(home)
    build(home, AS_OF)
    found: dict[str, tuple[str, str]] = {}

    def hear(event: Any) -> None:
        if event.info.name in ("LogTestResult", "LogUnitTestResult"):
            found[event.data.name] = (event.data.status, event.info.msg)
        elif event.info.name == "RunResultError":
            found["error"] = ("error", event.data.msg)

    invoke(
        ["--no-write-json", "test", "--select", "test_type:unit"],
        warehouse=home.warehouse,
        scratch=home.root / "dbt",
        variables=json.dumps(variables(home, AS_OF)),
        listen=hear,
    )
    return found


def test_every_rule_holds(results: dict[str, tuple[str, str]]) -> None:
    """Expected and actual rows stand in the message of one that does not."""
    assert {name: said for name, said in results.items() if said[0] != "pass"} == {}


def test_every_rule_was_tried(results: dict[str, tuple[str, str]]) -> None:
    """As many as the files state: none is left out."""
    stated = Counter(
        line.split(":", 1)[1].strip()
        for path in (DBT_PROJECT / "models").rglob("*unit_tests.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("  - name: ")
    )
    assert len(results) == sum(stated.values())
