"""Fixtures that every suite shares: a home of its own for each test, and telemetry off."""

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import settings

from finpipe.settings import PROJECT, Home
from finpipe.warehouse import connect

os.environ.update(
    DAGSTER_DISABLE_TELEMETRY="yes",
    DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    DO_NOT_TRACK="1",
    RUNTIME__DLTHUB_TELEMETRY="false",
)

# Examples of hypothesis are the same everywhere, and a busy machine fails none of them.
settings.register_profile("finpipe", derandomize=True, deadline=None, print_blob=False)
settings.load_profile("finpipe")

#: Real-shaped public data beside the checkout; tests that need it skip with that reason where it is absent.
SHARED_DATA = PROJECT.parent / "shared" / "data"


#: What runs whole pipelines, longest first: begun early, so that no worker is left alone with one at the end.
LONG = (
    "orchestration/test_demo",
    "judge/",
    "exceptions/test_story",
    "prove/",
    "close/test_story",
    "demo/",
    "orchestration/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long stories first; everything else stays in its order."""
    items.sort(
        key=lambda item: next((n for n, part in enumerate(LONG) if f"tests/{part}" in item.path.as_posix()), len(LONG))
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty company."""
    return Home(tmp_path / "home")


@pytest.fixture
def warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The empty company's working database."""
    with connect(home) as connection:
        yield connection


@pytest.fixture
def shared_data() -> Path:
    """The folder of real-shaped data, or a skip that says why."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real-shaped data is not at {SHARED_DATA.parent.name}/{SHARED_DATA.name} beside the checkout")
    return SHARED_DATA
