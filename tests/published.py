"""Companies that the pipeline ran over, made once for all tests that look at them, in every worker."""

import os
from pathlib import Path

import pytest

#: The company that both the score and the judge look at.
SEED, SCALE = 7, 0.005


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one test run share."""
    base = factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "companies"
    root.mkdir(exist_ok=True)
    return root
