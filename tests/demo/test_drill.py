"""Drills: what comes in drops, with mishaps, ends where the whole ends."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finpipe.cli import main
from finpipe.demo import generate
from finpipe.demo.drill import Delivery, drill
from finpipe.ingest import land
from finpipe.publish.digest import Digest, digest_tables
from finpipe.settings import Home
from finpipe.systems import find_systems
from finpipe.warehouse import STILL_REFUSED, connect
from tests.line import load_and_conform

#: Where and when a row was landed differs between two deliveries of the same; nothing else may.
OF_LANDING = frozenset({"load_seq", "row_number", "recorded_at"})
DRILLS = os.environ.get("FINPIPE_DRILLS")


def take(home: Home, company: Path, drops: list[Path]) -> None:
    """Land drops in order, under the configuration of the last that brings one, then load and conform."""
    home.root.mkdir(parents=True, exist_ok=True)
    for settings in (d / "finpipe.toml" for d in [company, *drops] if (d / "finpipe.toml").exists()):
        shutil.copy(settings, home.root / "finpipe.toml")
    home = Home(home.root)
    described = find_systems(home)
    for name in sorted({p.name for d in drops for p in d.iterdir() if p.is_dir()}):
        land(home, described[name], [d / name for d in drops if (d / name).is_dir()])
    load_and_conform(home, described)


def found(home: Home) -> tuple[dict[str, Digest], list[Any]]:
    """Digests of canonical and quarantine, and the files that nobody made good."""
    with connect(home) as connection:
        digests = digest_tables(connection, ["canonical", "quarantine"], without=OF_LANDING)
        refused = connection.execute(f"select original_name from ({STILL_REFUSED}) where bytes > 0").fetchall()
    return digests, refused


def test_drops_with_mishaps_give_the_same_canonical_rows_as_the_whole(tmp_path: Path) -> None:
    mishaps = "late,redelivered,overlap,torn,swapped,renamed"
    company = generate(31, 0.005, "none", tmp_path / "company", batches="month", mishaps=mishaps).out
    drops = sorted((company / "drops").iterdir())
    whole, parts = Home(tmp_path / "whole"), Home(tmp_path / "parts")
    take(whole, company, [company / "extracts"])
    lost = (
        "select count(*) > 0 from ledger.loaded_tables where table_name = 'opportunity' and columns not like '%signed%'"
    )
    are_lost = []
    for stretch in (drops[:15], drops[15:]):  # the column is renamed in the fifteenth month, the answer comes after it
        take(parts, company, stretch)
        with connect(parts) as connection:
            are_lost += connection.execute(lost).fetchall()
    assert are_lost == [(True,), (False,)]
    assert found(parts) == found(whole)
    with connect(parts) as connection:
        torn = connection.execute("select count(*) from ledger.loads where verdict = 'refused'").fetchall()
    assert torn[0][0] > 0, "the drill must have had something to make good"


@pytest.mark.skipif(not DRILLS, reason="FINPIPE_DRILLS names no seeds: a drill runs the whole pipeline several times")
@pytest.mark.parametrize("rhythm", ["day", "hour"])
def test_marts_of_a_drill_equal_the_truth(rhythm: str, tmp_path: Path) -> None:
    seeds = tuple(int(seed) for seed in str(DRILLS).split(","))
    result = drill(seeds, 0.005, Delivery(rhythm), tmp_path)
    differ = {f.name: f.differences[:3] for _, f in result.figures if f.different}
    assert differ == {}
    assert result.clean_false == []


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--mishaps", "lost"], "unknown mishap lost"), (["--scale", "-1"], "scale"), (["--seeds", "x"], "seeds")],
)
def test_a_drill_that_cannot_be_is_refused(options: list[str], said: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["demo", "drill", "--keep", str(tmp_path / "kept"), *options])
    assert told.exit_code in (1, 2)
    assert said in told.stderr
