"""What became of the mutants of `make mutation`, by module, and those that are left to judge.

``python -m tools.mutation``: run where `mutmut run` was.  A mutant that only writes SQL or the name of an encoding in
other letters changes nothing that a test could see; it is counted apart.  So are those that a person judged to change
nothing: ``mutants.toml`` names each by its function and by what the line becomes, and says why.
"""

import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

_SQL = re.compile(
    r"\b(select|from|where|insert|update|delete|create|drop|alter|describe|order by|group by|union|join|and|or|null|"
    r"sum)\b",
    re.I,
)
_LITERAL, _TEXT = re.compile(r"'[^']*'"), re.compile(r'"[^"]*"')


def _asked(*words: str) -> str:
    tool = str(Path(sys.executable).with_name("mutmut"))
    return subprocess.run([tool, *words], capture_output=True, text=True, check=True).stdout  # noqa: S603


def is_no_change(before: str, after: str) -> bool:
    """Whether two lines say the same: SQL in other letters, or an encoding that is the same by another name."""
    if before.lower() == after.lower() and _LITERAL.findall(before) == _LITERAL.findall(after):
        texts = [one for one, other in zip(_TEXT.findall(before), _TEXT.findall(after), strict=True) if one != other]
        return all(map(_SQL.search, texts or [before])) or "encoding=" in before
    return "encoding=" in before and _without_encoding(before) == _without_encoding(after)


def _without_encoding(line: str) -> str:
    return re.sub(r",? *(?=\))", "", re.sub(r'encoding=("utf-8"|None)(, |(?=\)))', "", line))


def judged_the_same() -> set[tuple[str, str]]:
    """(function, what its line becomes) of mutants that change nothing."""
    said = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text(encoding="utf-8"))
    return {(one["function"], line) for one in said["same"] for line in one["becomes"]}


def function_of(name: str) -> str:
    """``close.periods.Period.is_of`` of ``finpipe.close.periods.xǁPeriodǁis_of__mutmut_3``."""
    module, _, own = name.partition("__mutmut_")[0].removeprefix("finpipe.").rpartition(".")
    return f"{module}.{own.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"


def main() -> None:
    """Print a Markdown table, then the difference that each mutant makes that no test saw.

    One that ran out of time is not killed: it may loop, or the machine was busy. Those are listed to be run again.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    left, same = [], judged_the_same()
    seen: set[tuple[str, str]] = set()
    for line in _asked("results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        if not name:
            continue
        if status not in ("killed", "not checked"):
            before, after = _difference(name)
            if is_no_change(before, after):
                status = "no change"
            elif (function_of(name), after) in same:
                status = "judged"
                seen.add((function_of(name), after))
            else:
                left.append((name, status, before, after))
        found[name.rpartition(".")[0]][status] += 1
    _print_table(found)
    for name, status, before, after in left:
        print(f"\n{name}: {status}\n- {before}\n+ {after}")  # noqa: T201
    for function, after in sorted(same - seen):
        if any(f"finpipe.{function}".startswith(f"{module}.") for module in found):
            print(f"\njudged the same, and killed or gone: {function}: {after}")  # noqa: T201


def _difference(name: str) -> tuple[str, str]:
    shown = [text for text in _asked("show", name).splitlines() if re.match(r"[-+](?![-+]{2})", text)]
    before, after = (" ".join(text[1:].strip() for text in shown if text[0] == sign) for sign in "-+")
    return before, after


def _print_table(found: dict[str, Counter[str]]) -> None:
    heads = ("module", "mutants met", "other letters only", "judged the same", "killed", "ran out of time", "left")
    print(f"| {' | '.join(heads)} | killed of those that change something |")  # noqa: T201
    print(f"|---|{'---:|' * len(heads)}")  # noqa: T201
    for module, counts in [*sorted(found.items()), ("all", sum(found.values(), Counter()))]:
        met = counts.total() - counts["not checked"]
        told = [counts[status] for status in ("no change", "judged", "killed", "timeout")]
        share = 100 * counts["killed"] / max(1, met - sum(told[:2]))
        cells = [f"{met:,} of {counts.total():,}", *(f"{n:,}" for n in (*told, met - sum(told)))]
        print(f"| `{module}` | {' | '.join(cells)} | {share:.1f} % |")  # noqa: T201


if __name__ == "__main__":
    main()
