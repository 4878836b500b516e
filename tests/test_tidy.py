"""The source reads as it should: who imports whom, how long things are, and what is never committed."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from finpipe.reference.currencies import MINOR_UNITS
from finpipe.settings import PROJECT

PACKAGE = PROJECT / "finpipe"
STAGES = ("ingest", "conform", "build", "close", "publish", "observe")
KERNEL = ("errors", "log", "settings", "systems", "warehouse", "contracts", "reference", "policy")
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def home_of(path: Path) -> str:
    """The package of finpipe a module belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_stages_never_import_each_other(path: Path) -> None:
    home = home_of(path)
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("finpipe.")}
    if home in STAGES:
        assert ours <= {home, *KERNEL}
    if home in KERNEL:
        assert ours <= set(KERNEL)
    if home == "demo":
        assert ours <= {"demo"}
    elif home != "cli":
        assert "demo" not in ours


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_tool_has_one_package_that_imports_it(path: Path) -> None:
    tools = {name.split(".")[0] for name in imported(path)}
    if home_of(path) not in ("orchestration", "definitions"):
        assert not tools & {"dagster", "dagster_dbt"}
    if home_of(path) != "build":
        assert "dbt" not in tools
    if home_of(path) != "ingest":
        assert "dlt" not in tools


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_opens_with_what_belongs_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_functions_fit_a_screen_and_files_a_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 320
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 70, node.name


def test_sources_import_neither_finpipe_nor_dagster() -> None:
    for path in (PROJECT / "sources").rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"finpipe", "dagster"}, path


def test_nothing_of_a_system_is_named_in_the_package() -> None:
    systems = {p.parent.name for p in (PROJECT / "sources").glob("*/system.toml")} - {"bank", "controls", "decisions"}
    for path in MODULES:
        if home_of(path) != "demo":
            words = set(re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower()))
            assert not words & systems, path


def test_sentences_print_the_minor_units_of_the_reference_data() -> None:
    macro = (PROJECT / "dbt_project" / "macros" / "money.sql").read_text(encoding="utf-8")
    macro = macro.partition("macro printed_units()")[2]
    printed = {c: int(n) for n, codes in re.findall(r"(\d): '([A-Z ]+)'", macro) for c in codes.split()}
    assert printed == {code: units for code, units in MINOR_UNITS.items() if units != 2}


def test_no_float_touches_money() -> None:
    for path in MODULES:
        if home_of(path) not in ("demo",):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                assert not (isinstance(node, ast.Attribute) and node.attr in ("Float64", "Float32")), path


def test_no_committed_file_names_a_machine_and_no_lock_an_address() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    machine = re.compile(rb"(^|[^A-Za-z0-9_./-])/(work|root|home)/[A-Za-z.]")
    for name in tracked.splitlines():
        path = PROJECT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            assert not machine.search(path.read_bytes()), name
            if name.endswith(".lock"):
                assert b"://" not in path.read_bytes(), name
