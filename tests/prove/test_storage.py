"""A working database is lost, old, cut, flipped, or the disk is full: the pipeline catches up by itself.

A trial is one damage to LOAD's file, to that of the later stages, or to both, with what a run left in the logs (WAL)
when it was killed, in half of them. Then a delivery lands and the stages are called as a run calls them: one that met
damage only midway leaves a note and is made once more, as ``run_job`` does. No person does anything; at the end every
stage's digest is that of the twin nothing happened to.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.prove import company
from tests.prove.processes import run
from tests.prove.test_crash import POINTS
from tests.prove.twins import Clock, Untouched, differences, untouched
from tests.prove.verdicts import Proof

BLOCK = 262_144


def delete(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """The file is gone, its log with it or not."""
    database.unlink()
    if chance.random() < 0.5:
        _log(database).unlink(missing_ok=True)
    return f"{database.name} deleted, its log {'left' if _log(database).exists() else 'not there'}"


def restore(root: Path, database: Path, twin: Untouched, chance: random.Random) -> str:
    """An older backup, perhaps beside a log that is not its own."""
    generation = chance.randrange(1, len(twin.reached))
    shutil.copy(twin.before(generation) / database.name, database)
    if chance.random() < 0.5:
        _log(database).unlink(missing_ok=True)
    left = "left" if _log(database).exists() else "not there"
    return f"the backup of generation {generation} of {database.name} restored, a log {left}"


def flip(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """Some bits of the file."""
    places = [chance.randrange(database.stat().st_size) for _ in range(chance.choice((1, 1, 3, 20)))]
    _flip(database, places, chance)
    return f"bits of {database.name} flipped at {places}"


def cut_log(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """The log ends early: DuckDB opens with fewer transactions and says nothing."""
    size = _size(_log(database))
    at = chance.randrange(size) if size else 0
    if size:
        os.truncate(_log(database), at)
    return f"the log of {database.name} cut at {at} of {size} bytes"


def truncate(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """The file ends early."""
    at = chance.choice((0, chance.randrange(database.stat().st_size)))
    os.truncate(database, at)
    return f"{database.name} cut at {at}"


def delete_log(root: Path, database: Path, _twin: Untouched, _chance: random.Random) -> str:
    """The log is gone."""
    size = _size(_log(database))
    _log(database).unlink(missing_ok=True)
    return f"the log of {database.name} of {size} bytes deleted"


def flip_log(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """A bit of the log."""
    size = _size(_log(database))
    if size:
        _flip(_log(database), [chance.randrange(size)], chance)
    return f"a bit of the {size} bytes of the log of {database.name} flipped"


def blank(root: Path, database: Path, _twin: Untouched, chance: random.Random) -> str:
    """A block of zeros, or of anything."""
    size = database.stat().st_size
    at = chance.randrange(0, size, 4096)
    with database.open("r+b") as file:
        file.seek(at)
        file.write(chance.choice((bytes, chance.randbytes))(min(BLOCK, size - at)))
    return f"a block of {database.name} overwritten at {at}"


def forget(root: Path, database: Path, twin: Untouched, chance: random.Random) -> str:
    """The witness is gone or garbled, and a backup is restored: nothing outside tells what is missing."""
    witness = root / "witness.json"
    witness.write_bytes(chance.choice((b"", b"{", b'{"load_seq": 1}', chance.randbytes(40))))
    if chance.random() < 0.5:
        witness.unlink()
    return f"{restore(root, database, twin, chance)}; the witness {'garbled' if witness.exists() else 'gone'}"


DAMAGES = (flip, restore, cut_log, delete, truncate, blank, delete_log, flip_log, forget)
#: LOAD's file, that of the stages after it, or both: what was consistent with the other may be older, newer or gone.
VICTIMS = (("raw",), ("warehouse",), ("raw", "warehouse"))


def _log(database: Path) -> Path:
    return Path(f"{database}.wal")


def _flip(path: Path, places: list[int], chance: random.Random) -> None:
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            (old,) = file.read(1)
            file.seek(place)
            file.write(bytes([old ^ (1 << chance.randrange(8))]))


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@pytest.mark.prove_storage
def test_whatever_happens_to_the_working_file_the_same_digest_comes_back(proof: Proof, tmp_path: Path) -> None:
    trials = proof.size(slice=3, full=200)
    twin = untouched(
        tmp_path / "twin", proof.random.randrange(10**6), 3 if proof.is_full else 2, Clock(), company.build
    )
    disks = max(1, trials // 10)
    for number in range(trials - disks):
        if proof.is_over():
            break
        _damage(proof, twin, tmp_path / "home", number)
        if proof.is_full and number % 10 == 9:
            print(f"{proof.trials} trials, {len(proof.deviations)} deviations", flush=True)
    _full_disks(proof, twin, tmp_path / "disk", max(1, min(disks, proof.trials // 9)))
    proof.conclude()


def _damage(proof: Proof, twin: Untouched, root: Path, number: int) -> None:
    """One trial: a home at some generation, a killed run perhaps, a damage, and the catching up."""
    generation = proof.random.randrange(1, len(twin.reached))
    _copy(twin.before(generation), root)
    damage = DAMAGES[number % len(DAMAGES)]
    if "log" in damage.__name__ or proof.random.random() < 0.4:
        _leave_a_log(proof, twin, root, generation)
    victims = VICTIMS[number // len(DAMAGES) % len(VICTIMS)]
    what = "; ".join(damage(root, root / f"{name}.duckdb", twin, proof.random) for name in victims)
    proof.trials += 1
    for name in (f"trials_{damage.__name__}", f"trials_on_{'_and_'.join(victims)}"):
        proof.figures[name] = int(proof.figures.get(name, 0)) + 1
    _catch_up(proof, twin, root, generation, what)


def _copy(home: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(home, root, symlinks=True)


def _leave_a_log(proof: Proof, twin: Untouched, root: Path, generation: int) -> None:
    """Kill a run behind a commit and before its checkpoint: what it committed stands in the log alone.

    CONFORM opens both files, so that both have a log then.
    """
    for stage in ("land", "load"):
        if stage == "load" and proof.random.random() < 0.5:
            run(company.stopped, company.load, "finpipe.ingest.heal.conclude", 1, False, root)
        twin.run(root, stage, generation)
    point, _ = proof.random.choice(POINTS["conform"][-2:])
    run(company.stopped, company.conform, point, 1, proof.random.random() < 0.5, root)


def _catch_up(proof: Proof, twin: Untouched, root: Path, generation: int, what: str) -> None:
    """Call the stages as a run does, and hold the outcome against twin and oracle."""
    if failure := _run(proof, twin, root, generation):
        proof.deviated(f"after {what}: {failure}")
        return
    reached = run(company.fingerprints, root).answer
    if reached != twin.reached[generation]:
        proof.deviated(f"after {what}: the digests are {reached}, must be {twin.reached[generation]}")
    cuts = (twin.files_before(generation), twin.landed[generation])
    for difference in differences(root, "publish", cuts, is_done=True):
        proof.deviated(f"after {what}: {difference}")


def _run(proof: Proof, twin: Untouched, root: Path, generation: int) -> str:
    """All stages; once more when one of them met damage. Returns why it did not come to its end."""
    failure = _once(proof, twin, root, generation)
    if failure and any(root.glob("*.broken")):
        proof.figures["damage_met_midway"] = int(proof.figures.get("damage_met_midway", 0)) + 1
        failure = _once(proof, twin, root, generation)
    return failure


def _once(proof: Proof, twin: Untouched, root: Path, generation: int) -> str:
    for stage in company.STAGES:
        ended = twin.run(root, stage, generation)
        if not ended.is_done:
            return f"{stage} ended with {ended.code}: {ended.answer}"
        if any("set aside" in said for said in ended.answer or ()):
            proof.figures["set_aside"] = int(proof.figures.get("set_aside", 0)) + 1
    return ""


# A full disk ----------------------------------------------------------------------------------------------------------


def _full_disks(proof: Proof, twin: Untouched, disk: Path, trials: int) -> None:
    """Runs on a small disk with ever another bit of room; then there is room again."""
    try:
        with _small_disk(disk):
            for _ in range(trials):
                _fill(proof, twin, disk)
    except PermissionError as problem:
        proof.figures["full_disk"] = f"skipped: {problem}"


@contextmanager
def _small_disk(place: Path) -> Iterator[None]:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise PermissionError(said.stderr.strip() or "mounting is not permitted")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def _fill(proof: Proof, twin: Untouched, disk: Path) -> None:
    """One trial: a run with too little room stops somewhere; readers keep what they had; with room it goes on."""
    generation = proof.random.randrange(1, len(twin.reached))
    root, ballast = disk / "home", disk / "ballast"
    _copy(twin.before(generation), root)
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    room = proof.random.randrange(0, 6_000_000)
    ballast.write_bytes(bytes(max(0, free - room)))
    what = f"a disk with {room:,} bytes of room"
    proof.trials += 1
    proof.figures["trials_full_disk"] = int(proof.figures.get("trials_full_disk", 0)) + 1
    failure = _once(proof, twin, root, generation)
    if failure:
        proof.figures["stopped_by_full_disk"] = int(proof.figures.get("stopped_by_full_disk", 0)) + 1
        seen = run(company.seen_published, root)
        if not seen.is_done or seen.answer is None or seen.answer["torn"]:
            proof.deviated(f"on {what}: readers lost the publication: {seen.answer}")
    ballast.unlink()
    if aside := [p.name for p in root.glob("*.corrupt-*")]:
        proof.deviated(f"on {what}: a whole database was set aside: {aside}")
    _catch_up(proof, twin, root, generation, f"{what} ({failure})")
