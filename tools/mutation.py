"""What became of the mutants of `make mutation`, by module, and those that are left to judge.

``python -m tools.mutation``: run where `mutmut run` was.  A mutant that only writes SQL or the name of an encoding in
other letters changes nothing that a test could see; it is counted apart.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

_SQL = re.compile(r"\b(select|from|where|insert|update|delete|create|drop|alter|order by|group by|join|and|or)\b", re.I)
_LITERAL = re.compile(r"'[^']*'")


def _asked(*words: str) -> str:
    tool = str(Path(sys.executable).with_name("mutmut"))
    return subprocess.run([tool, *words], capture_output=True, text=True, check=True).stdout  # noqa: S603


def is_no_change(before: str, after: str) -> bool:
    """Whether two lines say the same: SQL in other letters, or an encoding that is the same by another name."""
    if before.lower() == after.lower() and _LITERAL.findall(before) == _LITERAL.findall(after):
        return bool(_SQL.search(before)) or "encoding=" in before
    return re.sub(r'encoding="utf-8"', "encoding=None", before) == after


def main() -> None:
    """Print a Markdown table, then the difference that each mutant makes that no test saw.

    One that ran out of time is not killed: it may loop, or the machine was busy. Those are listed to be run again.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    left = []
    for line in _asked("results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        if not name:
            continue
        module = name.rpartition(".")[0]
        if status not in ("killed", "not checked"):
            shown = [text for text in _asked("show", name).splitlines() if re.match(r"[-+](?![-+]{2})", text)]
            before = " ".join(text[1:].strip() for text in shown if text[0] == "-")
            after = " ".join(text[1:].strip() for text in shown if text[0] == "+")
            if status == "survived" and is_no_change(before, after):
                status = "no change"
            else:
                left.append((name, status, before, after))
        found[module][status] += 1
    heads = ("module", "mutants met", "other letters only", "killed", "ran out of time", "left")
    print(f"| {' | '.join(heads)} | killed of those that change something |")  # noqa: T201
    print(f"|---|{'---:|' * len(heads)}")  # noqa: T201
    for module, counts in [*sorted(found.items()), ("all", sum(found.values(), Counter()))]:
        met = counts.total() - counts["not checked"]
        killed, same, late = counts["killed"], counts["no change"], counts["timeout"]
        share = 100 * killed / max(1, met - same)
        cells = (f"{met:,} of {counts.total():,}", f"{same:,}", f"{killed:,}", f"{late:,}")
        print(f"| `{module}` | {' | '.join(cells)} | {met - killed - same - late:,} | {share:.1f} % |")  # noqa: T201
    for name, status, before, after in left:
        print(f"\n{name}: {status}\n- {before}\n+ {after}")  # noqa: T201


if __name__ == "__main__":
    main()
