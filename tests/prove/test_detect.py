"""A single cell changed in one extract of a good company is named with the right code before anything is published.

Belongs here: corrupting a company's extracts, running LAND to BUILD over them, and looking for each corruption in the
queue.  Does not belong here: which cells there are (``corruptions``).
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from finpipe import ingest
from finpipe.build import build
from finpipe.demo import generate
from finpipe.demo.findings import _pieces
from finpipe.settings import Home
from finpipe.systems import find_systems
from tests.line import load_and_conform
from tests.prove.corruptions import KINDS, LINE, POSTING, TRANSACTION, Corruption, Extracts
from tests.prove.verdicts import Proof

AS_OF = date(2024, 12, 31)
#: Corruptions of one run: few enough that a company of 400 accounts keeps chains that none of them touches.
OF_ONE_RUN = 250
FULL_SCALE = 0.02


@dataclass(frozen=True)
class Named:
    """One exception: its code, what it names, and what it says."""

    code: str
    names: frozenset[str]
    sentence: str


def corrupted(
    root: Path, seed: int, scale: float, count: int, proof: Proof, kinds: tuple = KINDS
) -> tuple[Home, list[Corruption]]:
    """A clean company with ``count`` corruptions, landed in a home of its own."""
    company = generate(seed, scale, "none", root / "company").out
    extracts = Extracts.read(company / "extracts")
    done = extracts.corrupt(count, proof.random, kinds)
    extracts.write(root / "extracts")
    home = Home(root / "home")
    home.root.mkdir()
    shutil.copy(company / "finpipe.toml", home.root)
    return home, done


def through(home: Home, extracts: Path, systems: Iterable[str]) -> None:
    """Land, load and conform the extracts of some systems."""
    known = find_systems(home)
    for name in systems:
        ingest.land(home, known[name], sorted((extracts / name).iterdir()))
    load_and_conform(home, known)


def asked(home: Home, sql: str) -> list[Named]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute(sql).fetchall()
    return [Named(code, _pieces(left) | _pieces(right), said) for code, left, right, said in rows]


def judge(proof: Proof, done: list[Corruption], named: list[Named]) -> None:
    """Count what is named rightly; what is not is a deviation, with whatever else was said of its records."""
    for one in done:
        proof.trials += 1
        if any(one.is_named(n.code, n.names) for n in named):
            continue
        other = Counter(n.code for n in named if n.names & one.names)
        proof.deviated(
            f"{one.kind.name} of {one.record}: {one.before} → {one.after}; said is {dict(other) or 'nothing'}"
        )


@pytest.mark.prove_detect
def test_every_corruption_of_a_good_company_is_named_with_the_right_code(proof: Proof, tmp_path: Path) -> None:
    """In full over all models; the ordinary run judges what the gate alone must see."""
    if not proof.is_full:
        kinds = tuple(k for k in KINDS if k.table in (POSTING, LINE) or (k.table == TRANSACTION and not k.column))
        home, done = corrupted(tmp_path, 3, 0.001, 24, proof, kinds)
        through(home, tmp_path / "extracts", ["netsuite"])
        named = asked(home, "select code, row_key, null, reasons from quarantine.rows")
        judge(proof, done, named)
        proof.figures["judged by"] = "the gate"
    else:
        left = proof.size(slice=0, full=500)
        for number in range(1, 100):
            if not left:
                break
            root = tmp_path / str(number)
            count = min(left, OF_ONE_RUN)
            home, done = corrupted(root, proof.seed * 100 + number, FULL_SCALE, count, proof)
            through(home, root / "extracts", sorted(p.name for p in (root / "extracts").iterdir()))
            build(home, AS_OF)
            if kept := os.environ.get("FINPIPE_PROVE_KEEP"):
                shutil.copy(home.warehouse, Path(kept) / f"detect-{number}.duckdb")
            judge(proof, done, asked(home, "select code, left_key, right_key, sentence from marts.exceptions"))
            left -= len(done)
        proof.figures["judged by"] = "the queue of exceptions"
        proof.figures["kinds"] = len(KINDS)
    proof.conclude()
