"""Limits stand once, with their reason, and their page is made of them."""

import ast
from pathlib import Path

import pytest

from finpipe.errors import FinpipeError
from finpipe.ingest import limits
from finpipe.ingest.heal import set_aside
from finpipe.settings import PROJECT, Config, Home
from tools.limits import PAGE, rendered, stated


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == rendered(), "make render"


def test_every_limit_of_land_and_load_says_why() -> None:
    named = {found.name for found in stated() if found.place == "ingest/limits.py"}
    assert named == {name for name in vars(limits) if name.isupper()} - {"MEGABYTE"}


def test_a_loop_without_a_condition_says_in_its_first_lines_what_ends_it() -> None:
    for path in sorted((PROJECT / "finpipe").rglob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.While) and isinstance(node.test, ast.Constant):
                assert "# ends" in lines[node.lineno - 1], f"{path}:{node.lineno}"


@pytest.mark.parametrize("said", ["keep_publications = 1", "threads = 0", 'threads = "2"'])
def test_a_choice_that_cannot_be_meant_is_refused(tmp_path: Path, said: str) -> None:
    (tmp_path / "finpipe.toml").write_text(said)
    with pytest.raises(FinpipeError, match="too small"):
        Config.read(tmp_path / "finpipe.toml")


def test_broken_databases_do_not_fill_the_disk(home: Home) -> None:
    home.root.mkdir()
    for _ in range(limits.MOST_CORRUPT + 2):
        home.warehouse.write_text("x")
        Path(f"{home.warehouse}.wal").write_text("x")
        set_aside(home.warehouse, "why")
    kept = sorted(p.name for p in home.root.iterdir())
    assert kept == [f"warehouse.corrupt-{n}{end}" for n in (3, 4, 5) for end in ("", ".wal")]
