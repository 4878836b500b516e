"""A small company, clean and with every fault, made once a session; readers over Decimal."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finpipe.demo import generate

Rows = Callable[[str], list[dict[str, Any]]]


def rows_of(folder: Path) -> Rows:
    """Read a table below a company's folder as text rows, or as JSON objects."""

    def read(name: str) -> list[dict[str, Any]]:
        path = folder / name
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def clean_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(7, 0.01, "none", tmp_path_factory.mktemp("demo") / "clean").out


@pytest.fixture(scope="session")
def faulty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(7, 0.01, "all", tmp_path_factory.mktemp("demo") / "faulty").out


@pytest.fixture(scope="session")
def clean(clean_folder: Path) -> Rows:
    return rows_of(clean_folder)


@pytest.fixture(scope="session")
def faulty(faulty_folder: Path) -> Rows:
    return rows_of(faulty_folder)
