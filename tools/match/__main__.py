"""``python -m tools.match``: how well and how fast customers of two systems are matched."""

import argparse
import sys

from tools.match.measure import Measured, measure

#: Records in each system.
COUNT = 20_000


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 1 when what is joined is less sure than it must be."""
    parser = argparse.ArgumentParser(prog="python -m tools.match", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="records in each of two systems")
    parser.add_argument("--seeds", default="1", help="seeds of the companies, with commas")
    parser.add_argument("--names", action="store_true", help="likeness of names alone as well: minutes at full size")
    given = parser.parse_args(arguments)
    sure = True
    for seed in map(int, given.seeds.split(",")):
        measured = measure(given.count, seed, with_names=given.names)
        sys.stdout.write(_text(seed, measured))
        sure &= measured.matching.precision >= 0.99
    return 0 if sure else 1


def _text(seed: int, measured: Measured) -> str:
    lines = [f"seed {seed}: {measured.records:,} records of two systems, {measured.matching.true:,} pairs in truth"]
    lines += [
        f"  {way.way:<12} {way.joined:>7,} joined  precision {way.precision:.4f}  recall {way.recall:.4f}  "
        f"F1 {way.f1:.4f}  {way.seconds:6.1f} CPU s"
        for way in (measured.matching, measured.exact, measured.names)
        if way is not None
    ]
    lines.append(f"  {measured.suggested:,} suggestions, {measured.suggested_right:,} of them right")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
