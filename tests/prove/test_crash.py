"""kill -9 at any moment of any stage; then the next start goes on by itself, and not a row or a cent is another.

A trial is one kill. It is drawn from the whole time that the stage takes, or at a named point that chance would seldom
meet. After each kill, and after each stage that came to its end, landing, ledger, raw, canonical and the publication
are held against an oracle of plain Python; at the end every stage's digest is that of the twin that nobody disturbed.
"""

import shutil
from pathlib import Path

import pytest

from tests.prove import company
from tests.prove.processes import KILLED, Ended, run
from tests.prove.twins import Clock, Untouched, differences, untouched
from tests.prove.verdicts import Proof

#: Where a stage is stopped on purpose: function, and how often it is called at most in a stage of this company.
POINTS = {
    "land": (
        ("finpipe.ingest.land._copy", 3),
        ("finpipe.ingest.landing.write_synced", 3),
        ("finpipe.ingest.landing.make_folder", 3),
        ("finpipe.ingest.landing.sync_folder", 6),
        ("finpipe.ingest.landing.sweep", 1),
    ),
    "load": (
        # A kill between a table and its view once left a home in which no mapping ran any more.
        ("finpipe.ingest.raw._latest", 2),
        ("finpipe.ingest.load.read", 3),
        ("finpipe.ingest.load.stage", 1),
        ("finpipe.ingest.raw.admit", 1),
        ("finpipe.ingest.ledger.write", 1),
        ("finpipe.ingest.ledger.chain", 1),
        ("finpipe.ingest.load._admit", 1),
        ("finpipe.ingest.ledger.write_witness", 1),
        ("finpipe.ingest.ledger.write_synced", 1),
    ),
    "conform": (
        ("finpipe.conform.run._take_over_books", 1),
        ("finpipe.conform.run.write_policy", 1),
        ("finpipe.conform.run.pass_gate", 2),
        ("finpipe.conform.run._across_rows", 3),
        ("finpipe.conform.run._state", 1),
        ("finpipe.ingest.refresh_row_accounts", 1),
    ),
    "build": (
        ("finpipe.build.run._begin", 1),
        ("finpipe.build.run.invoke", 1),
        ("finpipe.build.run._keep_results", 1),
    ),
    "publish": (
        ("finpipe.publish.snapshot._copy", 30),
        ("finpipe.publish.snapshot._stamp", 1),
        ("finpipe.publish.snapshot._manifest", 1),
        ("finpipe.publish.snapshot.settle", 1),
        ("finpipe.publish.snapshot.sync", 1),
        ("finpipe.publish.snapshot.point", 1),
        ("finpipe.publish.snapshot._keep", 1),
    ),
}
#: How often a stage is killed at most before it may come to its end.
MOST_IN_A_ROW = 10
#: A little more than the stage takes: its last moments count too.
BEYOND = 1.05


@pytest.mark.prove_crash
def test_no_kill_loses_doubles_or_changes_anything(proof: Proof, tmp_path: Path) -> None:
    kills = proof.size(slice=8, full=2000)
    if not proof.is_full:
        _prove(proof, tmp_path, kills, company.build, generations=2)
    else:
        _prove(proof, tmp_path, kills * 19 // 20, company.build, generations=3, share=0.8)
        plain = proof.trials
        _prove(proof, tmp_path / "dbt", max(1, plain // 19), company.build_with_dbt, generations=2)
        proof.figures["kills_in_runs_with_dbt"] = proof.trials - plain
    proof.conclude()


def _prove(proof: Proof, folder: Path, kills: int, build: object, generations: int, share: float = 1) -> None:
    """Kill until so many trials are made; a new company now and then."""
    clock, rounds, enough = Clock(), 0, proof.trials + kills
    while proof.trials < enough and not proof.is_over(share):
        if rounds % 25 == 0:
            shutil.rmtree(folder, ignore_errors=True)
            twin = untouched(folder / "twin", proof.random.randrange(10**6), generations, clock, build)
        _round(proof, twin, folder / "home", clock, proof.random.randrange(generations))
        rounds += 1
        if proof.is_full and rounds % 10 == 0:
            print(f"{proof.trials} kills in {rounds} rounds, {len(proof.deviations)} deviations", flush=True)


def _round(proof: Proof, twin: Untouched, root: Path, clock: Clock, generation: int) -> None:
    """One generation of a twin, each of its stages killed some times before it ends."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(twin.before(generation), root, symlinks=True)
    cuts = (twin.files_before(generation), twin.landed[generation])
    for stage in company.STAGES:
        for _ in range(proof.random.randint(1, MOST_IN_A_ROW)):
            where, ended = _kill(proof, twin, root, clock, stage, generation)
            _note(proof, stage, ended, where)
            _compare(proof, root, stage, cuts, where, is_done=ended.is_done)
            if ended.is_done:
                break
        ended = twin.run(root, stage, generation)
        if not ended.is_done:
            proof.deviated(f"{stage} does not go on after {where}: {ended.answer}")
            return
        clock.note(stage, ended.seconds)
        _compare(proof, root, stage, cuts, f"{where}, then the end", is_done=True)
    reached = run(company.fingerprints, root).answer
    if reached != twin.reached[generation]:
        proof.deviated(f"after kills the digests are {reached}, undisturbed {twin.reached[generation]}")


def _kill(proof: Proof, twin: Untouched, root: Path, clock: Clock, stage: str, generation: int) -> tuple[str, Ended]:
    """Run a stage and kill it, at a named point or after a random part of its time; returns where."""
    function, *args = twin.call(root, stage, generation)
    if proof.random.random() < 0.35:
        point, most = proof.random.choice(POINTS[stage])
        nth, is_after = proof.random.randint(1, most), proof.random.random() < 0.5
        where = f"a kill {'after' if is_after else 'before'} {point} ({nth})"
        return where, run(company.stopped, function, point, nth, is_after, *args)
    delay = proof.random.uniform(0, BEYOND * clock.usual(stage))
    return f"a kill {delay:.3f} s into {stage}", run(function, *args, kill_after=delay)


def _note(proof: Proof, stage: str, ended: Ended, where: str) -> None:
    """Count a kill; a stage that ended before it is none, one that failed by itself is a deviation."""
    if ended.code == KILLED:
        proof.trials += 1
        proof.figures[f"kills_{stage}"] = int(proof.figures.get(f"kills_{stage}", 0)) + 1
    elif not ended.is_done:
        proof.deviated(f"{stage} failed before {where}: {ended.answer}")


def _compare(proof: Proof, root: Path, stage: str, cuts: tuple[int, int], where: str, *, is_done: bool) -> None:
    for difference in differences(root, stage, cuts, is_done=is_done):
        proof.deviated(f"after {where}: {difference}")
