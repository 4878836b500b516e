"""Many starts at once: one writes, commands leave with 75, steps of Dagster wait, and nothing is there twice.

A trial puts files into the inbox and lets several processes go at one moment: commands, steps, real runs, and landings
of the very same files by name. Whole runs at once are fewer, for they are dear.
"""

import itertools
import json
import multiprocessing
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from finpipe.ingest.ledger import read_witness
from finpipe.settings import Home
from tests.prove import starts
from tests.prove.verdicts import Proof

CRM = 'role = "crm"\nprefixes = ["deals"]\n[tables.deal]\nkey = ["id"]\ncolumns = ["id", "name"]\n'
ROWS = 11
#: How a start may end: a command works or leaves, everything else works.
ENDS = {"cli": {0, 75}, "step": {0}, "job": {0}, "land": {0}, "run": {0, 3, 75}}


class Crowd:
    """A company, what it was given, and processes that start at one moment."""

    def __init__(self, folder: Path) -> None:
        (folder / "sources" / "deals").mkdir(parents=True)
        (folder / "sources" / "deals" / "system.toml").write_text(CRM)
        self.home, self.folder = Home(folder / "home", folder / "sources"), folder
        self.files = 0
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([starts.__name__])

    def deliver(self, number: int) -> list[Path]:
        """Files into the inbox, and the same bytes elsewhere for those who land by name."""
        copies = []
        for _ in range(number):
            lines = [f"d{self.files}-{row},x" for row in range(ROWS)]
            for place in (self.home.inbox / "deals", self.folder / "elsewhere"):
                place.mkdir(parents=True, exist_ok=True)
                (place / f"deal_{self.files}.csv").write_text("\n".join(["id,name", *lines]) + "\n")
            copies.append(self.folder / "elsewhere" / f"deal_{self.files}.csv")
            self.files += 1
        return copies

    def start(self, kinds: list[str], files: list[Path]) -> tuple[list[int | None], list[tuple[float, float, int]]]:
        """Let them go together; returns how each ended, and when the lock was held, in order."""
        go = self.context.Event()
        told = [self.folder / f"said-{i}" for i in range(len(kinds))]
        processes = [
            self.context.Process(target=starts.start, args=(kind, self.home, files, go, path))
            for kind, path in zip(kinds, told, strict=True)
        ]
        for process in processes:
            process.start()
        go.set()
        for process in processes:
            process.join(900)
            process.kill()
        held = [tuple(json.loads(line)) for path in told for line in path.read_text().splitlines()]
        return [p.exitcode for p in processes], sorted(held)

    def words(self, number: int) -> str:
        return (self.folder / f"said-{number}.out").read_text()[-600:]

    def ailments(self) -> list[str]:
        """What is lost, doubled or left over once all have ended."""
        self.start(["step"], [])  # what landed after the last load is loaded by the next
        with duckdb.connect(str(self.home.raw), read_only=True) as connection:
            rows = connection.execute("select count(*), count(distinct id) from raw_deals.deal").fetchall()[0]
            files = connection.execute(
                "select count(*), count(distinct digest), max(load_seq) from ledger.loads"
            ).fetchall()[0]
        found = []
        if rows != (self.files * ROWS,) * 2:
            found.append(f"rows {rows}, delivered {self.files * ROWS}")
        if files != (self.files,) * 3:
            found.append(f"files {files}, delivered {self.files}")
        if (read_witness(self.home.witness) or {}).get("load_seq") != self.files:
            found.append(f"the witness says {read_witness(self.home.witness)}")
        return found + [f"left over: {p.name}" for p in self.home.scratch.glob("*-*")]


@pytest.mark.prove_concurrency
def test_one_writes_the_others_leave_or_wait_and_nothing_is_doubled(proof: Proof, tmp_path: Path) -> None:
    crowd, ended = Crowd(tmp_path), Counter[str]()
    for _ in range(proof.size(slice=4, full=200)):
        if proof.is_over(0.5):
            break
        kinds = ["cli", "cli", proof.random.choice(["cli", "step"]), proof.random.choice(["step", "job", "land"])]
        proof.random.shuffle(kinds)
        judge(proof, crowd, kinds, crowd.deliver(proof.random.randint(1, 3)), ended)
    for _ in range(4 if proof.is_full else 0):
        if proof.is_over():
            break
        files = crowd.deliver(1)
        before = ended["run 75"]
        judge(proof, crowd, ["run", "run", "run", "land"], files, ended)
        if ended["run 75"] - before != 2:
            proof.deviated(f"{proof.trials}: of three runs at once not just one worked: {dict(ended)}")
    proof.figures.update({name.replace(" ", "_"): number for name, number in sorted(ended.items())})
    proof.conclude()


def judge(proof: Proof, crowd: Crowd, kinds: list[str], files: list[Path], ended: Counter[str]) -> None:
    """One trial: let them go, and hold what came of it against what was delivered."""
    proof.trials += 1
    codes, held = crowd.start(kinds, files)
    for number, (kind, code) in enumerate(zip(kinds, codes, strict=True)):
        ended[f"{kind} {code}"] += 1
        if code not in ENDS[kind]:
            proof.deviated(f"{proof.trials}: {kind} ended with {code}: {crowd.words(number)}")
    for one, other in itertools.pairwise(held):
        if other[0] < one[1]:
            proof.deviated(f"{proof.trials}: {one[2]} and {other[2]} wrote at once")
    if not held:
        proof.deviated(f"{proof.trials}: nobody wrote")
    for ailment in crowd.ailments():
        proof.deviated(f"{proof.trials} {kinds}: {ailment}")
