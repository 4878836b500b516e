"""What a proving suite says of itself: seed, counts and verdict, on the screen and in ``prove.json``."""

import fcntl
import json
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from finpipe.settings import PROJECT


@dataclass
class Proof:
    """One proving suite under way: its seeded chance, what was tried and what deviated.

    ``trials`` counts in the unit of the suite (kills, files, reads); ``figures`` holds further counts by name.
    """

    mark: str
    seed: int
    is_full: bool
    trials: int = 0
    deviations: list[str] = field(default_factory=list)
    figures: dict[str, int | float | str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.mark} {self.seed}")

    def size(self, *, slice: int, full: int) -> int:  # noqa: A002
        """How many trials to make: a slice in the ordinary test run, the whole figure on demand."""
        if not self.is_full:
            return slice
        return int(os.environ.get("FINPIPE_PROVE_TRIALS", full))

    def is_over(self, share: float = 1) -> bool:
        """Whether (a share of) the time that a long suite was given has run out; it then concludes with the trials it
        made, and another run with another seed (or ``FINPIPE_PROVE_SKIP``) adds the rest."""
        minutes = float(os.environ.get("FINPIPE_PROVE_MINUTES", "inf")) if self.is_full else float("inf")
        return time.monotonic() - self.began > 60 * minutes * share

    def deviated(self, what: str) -> None:
        """Record what must not have happened, with enough to see it again; a long suite says it at once."""
        self.deviations.append(what)
        if self.is_full:
            print(f"{self.mark}: {what}", flush=True)

    def conclude(self) -> None:
        """Print the verdict, write it down, and fail when anything deviated or nothing was tried."""
        figures = {
            "seed": self.seed,
            "is_full": self.is_full,
            "trials": self.trials,
            "deviations": len(self.deviations),
            **self.figures,
            "seconds": round(time.monotonic() - self.began, 1),
        }
        print(f"{self.mark}: {json.dumps(figures)}")
        write(self.mark, figures)
        assert self.trials, f"{self.mark} tried nothing"
        assert not self.deviations, "\n".join(self.deviations[:20])


def write(mark: str, figures: dict[str, object]) -> None:
    """Put one suite's figures into ``prove.json``, beside those of the others (workers write at the same time)."""
    path = Path(os.environ.get("FINPIPE_PROVE_JSON", PROJECT / "prove.json"))
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        proofs = json.loads(path.read_text()) if path.exists() else {}
        proofs[mark] = figures
        path.write_text(json.dumps(proofs, indent=2, sort_keys=True) + "\n")
