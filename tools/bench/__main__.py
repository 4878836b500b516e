"""``python -m tools.bench``: measure, print, and with ``--docs`` write docs/performance.md."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from finpipe.settings import PROJECT
from tools.bench.compare import DifferentError
from tools.bench.report import BEGIN, END, facts, text
from tools.bench.run import Results, bench

#: Gives about 1.2 million raw rows.
SCALE = 0.45
_DOCS = PROJECT / "docs" / "performance.md"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=SCALE, help="size of the demo company; 0.45 = 1.2 million rows")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--others", action="store_true", help="also what people would use instead, installed for this")
    parser.add_argument("--work", type=Path, help="empty or new folder to work in (default: a throw-away one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--docs", action="store_true", help="write the tables into docs/performance.md")
    given = parser.parse_args(arguments)
    work = Path(given.work or tempfile.mkdtemp(prefix="finpipe-bench-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        results = bench(work, given.scale, max(1, given.repetitions), _tell, with_others=given.others)
    except DifferentError as problem:
        sys.stderr.write(f"error: results differ, so no time counts\ngot:   {problem}\n")
        return 1
    finally:
        if given.work is None:
            shutil.rmtree(work, ignore_errors=True)
    sys.stdout.write(json.dumps(facts(results), indent=2) + "\n" if given.json else text(results))
    if given.docs:
        _write(results)
    return 0


def _tell(what: str) -> None:
    sys.stderr.write(what + "\n")


def _write(results: Results) -> None:
    """Put the tables between their marks."""
    said = _DOCS.read_text(encoding="utf-8")
    before, after = said.split(BEGIN)[0], said.split(END)[1]
    _DOCS.write_text(f"{before}{BEGIN}\n{text(results)}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
