"""The folder of companies that the pipeline ran over."""

from pathlib import Path

import pytest

from tests.published import shared_folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_folder(tmp_path_factory)
