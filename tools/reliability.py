"""The table of proofs in ``docs/reliability.md``, from figures that proving suites wrote.

``python -m tools.reliability prove.json …``: what several files hold of one mark is added up (runs with other seeds, or
that went on where another stopped); nothing is typed by hand.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from finpipe.settings import PROJECT

PAGE = PROJECT / "docs" / "reliability.md"
_PLACE = re.compile(r"<!-- proofs: begin -->.*?<!-- proofs: end -->", re.DOTALL)
_OWN = ("seed", "is_full", "trials", "deviations", "seconds")
#: Counts that several runs have in common.
_COMMON = ("points", "kinds", "tables", "marts compared", "longest_recovery_seconds")
#: What each suite is to reach, as promised.
TARGETS = {
    "prove_crash": "2,000 kills, 0 deviations",
    "prove_syscalls": "100 % of points × 3 faults, 0 torn, 0 unopenable",
    "prove_storage": "200 trials, same digest, no person",
    "prove_concurrency": "200 trials, one writer, nothing doubled",
    "prove_inputs": "200 files, 0 silently different",
    "prove_replay": "20 shuffles × 1, 2, 4 threads, one digest",
    "prove_publish": "10,000 reads over 1,000 swaps, 0 mixed",
    "prove_dagster": "50 trials, next success unattended",
    "prove_detect": "500 corruptions, all named",
    "prove_laws": "thousands of examples, 0 failures",
    "prove_quarters": "two quarters day by day, ending in the truth",
}


def table(proofs: dict[str, dict[str, Any]]) -> str:
    """A Markdown table: one line for each suite that has figures, beside what it is to reach."""
    lines = [
        "| suite | to reach | trials | deviations | seed | minutes | counts |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for mark, target in TARGETS.items():
        if said := proofs.get(mark):
            counts = ", ".join(f"{k.replace('_', ' ')} {_number(v)}" for k, v in said.items() if k not in _OWN)
            lines.append(
                f"| `{mark}` | {target} | {_number(said['trials'])} | {said['deviations']} | {said['seed']} "
                f"| {said['seconds'] / 60:.0f} | {counts} |"
            )
        else:
            lines.append(f"| `{mark}` | {target} | – | – | – | – | not run in full yet |")
    return "\n".join(lines)


def added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The figures of two runs of one suite as those of one."""
    both = dict(one)
    for name, said in other.items():
        before = both.get(name)
        if name == "seed":
            both[name] = ", ".join(dict.fromkeys([*str(before).split(", "), str(said)]))
        elif before is None or isinstance(said, str | bool):
            both[name] = said
        else:
            both[name] = max(before, said) if name in _COMMON else round(before + said, 1)
    return both


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def main(paths: list[str]) -> None:
    """Put the figures of the files into the page."""
    proofs: dict[str, dict[str, Any]] = {}
    for path in paths:
        for mark, said in json.loads(Path(path).read_text(encoding="utf-8")).items():
            proofs[mark] = added(proofs[mark], said) if mark in proofs else said
    page = PAGE.read_text(encoding="utf-8")
    between = f"<!-- proofs: begin -->\n{table(proofs)}\n<!-- proofs: end -->"
    PAGE.write_text(_PLACE.sub(lambda _: between, page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
