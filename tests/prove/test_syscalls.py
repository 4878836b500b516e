"""Every system call by which LAND, LOAD and PUBLISH write fails once, and once the process dies in it.

A point is one write-type call on a path of the home, counted in a run that is only watched; a trial is one point with
one fault: SIGKILL, an I/O error, a full disk, injected by strace into a warm process. Afterwards nothing may be torn
and everything must open; the same stage called again must come to the same digest. A stage that failed although its
work was committed is recognised by the ledger: it is counted, and the second call must not do the work twice.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.prove import company, oracle
from tests.prove.processes import Ended, outcome, run
from tests.prove.twins import Clock, Untouched, differences, untouched
from tests.prove.verdicts import Proof

CALLS = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "copy_file_range"),
    *("fsync", "fdatasync", "sync_file_range", "ftruncate", "truncate", "fallocate"),
    *("open", "openat", "creat", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "chmod", "fchmod", "fchmodat"),
)
FAULTS = {"KILL": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
STAGES = ("land", "load", "publish")
_CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)")
_OPENS = ("open", "openat")
_GENERATION = 1
#: How often a point that is not met is looked for: which thread makes a call may still be chance.
_LOOKS = 3


@dataclass(frozen=True)
class Point:
    """One call: in which stage, which system call, and the how-manieth of its thread."""

    stage: str
    call: str
    nth: int


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.prove_syscalls
def test_no_failing_system_call_leaves_anything_torn(proof: Proof, tmp_path: Path) -> None:
    twin = untouched(tmp_path / "twin", proof.random.randrange(10**6), 2, Clock(), company.build)
    starts = _starts(twin, tmp_path)
    points = [p for stage in STAGES for p in _points(twin, stage, starts[stage], tmp_path)]
    proof.figures["points"] = len(points)
    trials = [(point, fault) for point in points for fault in FAULTS]
    chosen = proof.random.sample(trials, len(trials))[int(os.environ.get("FINPIPE_PROVE_SKIP", "0")) :]
    chosen = chosen[: proof.size(slice=3, full=10**6)]
    for number, (point, fault) in enumerate(chosen):
        if proof.is_over():
            break
        _try(proof, twin, starts[point.stage], tmp_path, point, fault)
        if proof.is_full and number % 25 == 24:
            print(f"{proof.trials} of {len(chosen)}, {len(proof.deviations)} deviations", flush=True)
    proof.figures["points_tried_percent"] = round(100 * proof.trials / len(trials), 1)
    proof.conclude()


def _starts(twin: Untouched, folder: Path) -> dict[str, Path]:
    """Homes in which each stage is about to begin."""
    starts = {stage: folder / f"before-{stage}" for stage in STAGES}
    home = folder / "home"
    _copy(twin.before(_GENERATION), home)
    for stage in company.STAGES:
        if stage == "publish":
            outcome(company.slim, home)
        if stage in starts:
            _copy(home, starts[stage])
        twin.run(home, stage, _GENERATION)
    return starts


def _copy(home: Path, to: Path) -> None:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(home, to, symlinks=True)


def _points(twin: Untouched, stage: str, start: Path, folder: Path) -> list[Point]:
    """Watch a stage, once, and say which of its calls write below the home."""
    home, log = folder / "home", folder / "watched.log"
    _copy(start, home)
    ended = _traced(twin, stage, home, log, CALLS, "")
    assert ended.is_done, ended.answer
    return sorted({Point(stage, call, nth) for _, call, nth in _writes(log, home)}, key=lambda p: (p.call, p.nth))


def _writes(log: Path, home: Path) -> dict[tuple[str, str, int], str]:
    """Thread, call, and how-manieth of its kind in its thread, of each call that writes below the home."""
    counts: dict[tuple[str, str], int] = {}
    found = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if not (called := _CALL.match(line)):
            continue
        thread, call, said = called.groups()
        nth = counts[thread, call] = counts.get((thread, call), 0) + 1
        if str(home) in said and (call not in _OPENS or "O_CREAT" in said or "O_TRUNC" in said):
            found[thread, call, nth] = line
    return found


def _traced(twin: Untouched, stage: str, home: Path, log: Path, calls: tuple[str, ...], inject: str) -> Ended:
    """Run a stage with strace attached to its process."""
    command = ["strace", "-f", "-y", "-qq", "-s", "16", "-o", str(log), "-e", f"trace={','.join(calls)}"]
    tracers: list[subprocess.Popen[str]] = []

    def attach(pid: int) -> None:
        given = [*command, *(["-e", f"inject={inject}"] if inject else []), "-p", str(pid)]
        tracers.append(subprocess.Popen(given, stderr=subprocess.PIPE, text=True))
        _wait(lambda: not _is_untraced(pid), tracers[0])

    ended = run(company.by_one_thread, *twin.call(home, stage, _GENERATION), before=attach)
    tracers[0].wait(60)
    return ended


def _is_untraced(pid: int) -> bool:
    return "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def _wait(is_so: Callable[[], bool], tracer: "subprocess.Popen[str]") -> None:
    for _ in range(6000):
        if is_so():
            return
        if tracer.poll() is not None:
            pytest.skip(f"strace may not attach here: {tracer.stderr.read() if tracer.stderr else ''}")
        time.sleep(0.01)
    raise TimeoutError("strace did not attach")


def _try(proof: Proof, twin: Untouched, start: Path, folder: Path, point: Point, fault: str) -> None:
    """One trial: the fault, what it left, the second call."""
    home = folder / "home"
    for _ in range(_LOOKS):
        _copy(start, home)
        ended, hits = _inject(twin, home, point, fault, folder / "injected.log")
        if hits:
            break
    hit = hits[0].split(" ", 1)[1][:160] if hits else "not met"
    where = f"{fault} in {point.stage} at {point.call} {point.nth} ({hit})"
    proof.trials += 1
    _count(proof, f"trials_{point.stage}_{fault}")
    if not hits:
        _count(proof, "not_met")
    is_done = ended.is_done
    is_whole = _judge(proof, twin, home, point.stage, where, is_done=is_done)
    if is_done:
        _count(proof, "went_on")
        if fault != "KILL" and point.call in ("fsync", "fdatasync") and any(_lasts(home, hit) for hit in hits):
            proof.deviated(f"{where}: what was not made durable was taken for done")
    elif is_whole and _is_committed(home, point.stage, twin.landed[_GENERATION]):
        _count(proof, "failed_yet_committed")
    again = twin.run(home, point.stage, _GENERATION)
    if not again.is_done:
        proof.deviated(f"{where}: the stage does not go on: {again.answer}")
        return
    reached = run(company.fingerprint, home, point.stage).answer
    if reached != _expected(twin, home, start, point.stage):
        proof.deviated(f"{where}: after the second call the digest is another")


def _inject(twin: Untouched, home: Path, point: Point, fault: str, log: Path) -> tuple[Ended, list[str]]:
    """Run the stage with the fault at the point; how it ended, and the calls below the home that met it."""
    inject = f"{point.call}:{FAULTS[fault]}:when={point.nth}"
    ended = _traced(twin, point.stage, home, log, (point.call,), inject)
    return ended, [line for (_, _, nth), line in _writes(log, home).items() if nth == point.nth]


def _judge(proof: Proof, twin: Untouched, home: Path, stage: str, where: str, *, is_done: bool) -> bool:
    """Nothing torn, everything opens, rows and money as the oracle has them."""
    cuts = (twin.files_before(_GENERATION), twin.landed[_GENERATION])
    found = differences(home, stage, cuts, is_done=is_done)
    for difference in found:
        proof.deviated(f"{where}: {difference}")
    return not found


def _lasts(home: Path, line: str) -> bool:
    """Whether a call was on something that must last; the scratch folder is swept anyway."""
    return f"<{home}/tmp" not in line and f"<{home}/published/.draft" not in line


def _is_committed(home: Path, stage: str, files: int) -> bool:
    """Whether the work of a failed stage is there in full, as landing, ledger and the publication in force say it."""
    if stage == "land":
        return len(oracle.landed(home / "landing")) == files
    if stage == "load":
        return len(outcome(company.seen, home)["loads"]) == files
    return (home / "published" / "current").resolve().name == "2"


_EXPECTED: dict[tuple[Path, str], str] = {}


def _expected(twin: Untouched, home: Path, start: Path, stage: str) -> str:
    """What the stage leaves from the same start when nothing happens."""
    if (start, stage) not in _EXPECTED:
        calm = home.with_name("calm")
        _copy(start, calm)
        twin.run(calm, stage, _GENERATION)
        _EXPECTED[start, stage] = outcome(company.fingerprint, calm, stage)
    return _EXPECTED[start, stage]


def _count(proof: Proof, name: str) -> None:
    proof.figures[name] = int(proof.figures.get(name, 0)) + 1
