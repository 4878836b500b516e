"""The benchmark works and compares equal things; nothing here looks at a clock."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tools.bench.__main__ import main
from tools.bench.compare import SUBJECTS
from tools.bench.run import _WAYS, AS_OF


def test_the_bench_completes_and_totals_agree(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A result is printed only when rows by file and all totals agree."""
    assert main(["--scale", "0.001", "--repetitions", "1", "--json", "--work", str(tmp_path / "work")]) == 0
    said = json.loads(capfd.readouterr().out)
    assert set(said["costs"]) == set(_WAYS)
    assert said["rows"] > 0
    for subject in SUBJECTS:
        assert Decimal(said["totals"][subject]["rows"]) > 0, f"{subject} up to {AS_OF} has no rows"
    assert all(cost["peak_memory_bytes"] > 0 for cost in said["costs"].values())
