"""A run that meets a damaged working database is made again from landing, by itself."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from finpipe import ingest
from finpipe.ingest import land
from finpipe.orchestration.company import failing
from finpipe.orchestration.run import run_job
from finpipe.settings import PROJECT, Home
from finpipe.systems import find_systems


def test_a_run_that_meets_damage_midway_is_made_once_more(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = PROJECT / "sources" / "bank" / "sample" / "statement_EUR.csv"
    land(home, find_systems(home)["bank"], [statement])
    told: list[str] = []
    real, calls = ingest.load, 0

    def damaged_at_first(*given: Any) -> ingest.LoadReport:
        nonlocal calls
        calls += 1
        report = real(*given)
        if calls == 1:
            raise duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2")
        return report

    monkeypatch.setattr(ingest, "load", damaged_at_first)
    with dg.DagsterInstance.ephemeral() as instance:
        ran = run_job(home, tell=lambda _, what: told.append(what), job="load_extracts", instance=instance)
    assert (calls, ran.failures, ran.files_new) == (2, {}, 1)
    assert Path(home.root / "raw.corrupt-1").exists()
    assert any("set aside as raw.corrupt-1 and made again from landing" in sentence for sentence in told)


@pytest.mark.parametrize(
    "fault",
    [
        OSError("No space left on device"),
        duckdb.IOException('Could not write file "x": No space left on device'),
        duckdb.FatalException("FATAL Error: Failed to create checkpoint: No space left on device"),
    ],
    ids=["python's", "DuckDB's", "DuckDB's when it puts a file in order"],
)
def test_a_full_disk_is_tried_again_whoever_meets_it(fault: Exception) -> None:
    with pytest.raises(dg.RetryRequested), failing():
        raise fault


def test_damage_is_left_to_the_next_run() -> None:
    with pytest.raises(duckdb.IOException, match="Could not read enough bytes"), failing():
        raise duckdb.IOException('Could not read enough bytes from file "x"')


def test_too_little_memory_is_told_with_the_setting_to_change() -> None:
    problem = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block\n\nPossible solutions: …")
    problem.add_note("while sources/erp/invoices.sql ran")
    with pytest.raises(dg.Failure) as told, failing():
        raise problem
    said = {name: value.value for name, value in told.value.metadata.items()}
    assert said["where"] == "memory_limit of finpipe.toml"
    assert said["got"] == "Out of Memory Error: could not allocate block while sources/erp/invoices.sql ran"
