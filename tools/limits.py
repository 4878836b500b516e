"""``docs/limits.md`` from the settings: every number that bounds something, with the reason that stands beside it.

Belongs here: finding them and writing the page (``python -m tools.limits``); a test proves that the page is fresh.
A bound is a number with a name in capitals at the top of a module, and a ``#:`` comment above it that says why; a
company's own choices are fields of ``Config``; those of the instance stand in ``dagster.yaml``.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from dagster._core.instance.config import dagster_instance_config

from finpipe.ingest import limits
from finpipe.settings import PROJECT, Config

PAGE = PROJECT / "docs" / "limits.md"
_HEAD = """# Limits

Rendered by `make render` from the settings: each number stands once, in the module that is named here, with its reason.

Repairs, retries and queues end by themselves; what is beyond a limit is refused or said, never dropped in silence. Kept
without a limit, because they are evidence: landed files, the load ledger, closed periods and signed publications; and
because only people know when they are done with them: snapshots of `finpipe build`, files set aside in an inbox, the
history of runs in Dagster.
"""
_AREAS = {
    "ingest": "Files, land and load",
    "conform": "Conform",
    "build": "Build",
    "publish": "Publish and read",
    "close": "Close",
    "observe": "Late, mismatched, alerts",
    "orchestration": "Runs",
    "contracts": "Contracts",
    "reference": "Reference data",
    "cli": "Screens",
}
_WORDS = (int, float, timedelta)
_KNOWN = {"MEGABYTE": limits.MEGABYTE, "timedelta": timedelta, "__builtins__": {}}


class Limit(NamedTuple):
    """One bound: where it stands, its name, its value in words, and why."""

    place: str
    name: str
    value: str
    why: str


def stated() -> list[Limit]:
    """Every bound of the package, in the order of its modules."""
    found: list[Limit] = []
    for path in sorted((PROJECT / "finpipe").rglob("*.py")):
        place = path.relative_to(PROJECT / "finpipe")
        if place.parts[0] != "demo":
            found += _of_module(path, str(place))
    return found


def _of_module(path: Path, place: str) -> Iterator[Limit]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.parse(text).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        names: list[ast.expr | None] = [*target.elts] if isinstance(target, ast.Tuple) else [target]
        why = _above(lines, node.lineno)
        value = getattr(node, "value", None)
        if not why or value is None:
            continue
        try:
            meant = eval(compile(ast.Expression(value), place, "eval"), dict(_KNOWN))  # noqa: S307 - our own source
        except (NameError, AttributeError, TypeError):
            continue
        values = meant if isinstance(meant, tuple) else (meant,)
        if len(values) == len(names) and all(isinstance(v, _WORDS) and not isinstance(v, bool) for v in values):
            for name, number in zip(names, values, strict=True):
                if isinstance(name, ast.Name):
                    yield Limit(place, name.id.lstrip("_"), _said(name.id, number), why)


def _above(lines: list[str], number: int) -> str:
    """The ``#:`` comment that ends right above a line."""
    said: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.startswith("#:"):
            break
        said.insert(0, line.removeprefix("#:").strip())
    return " ".join(said)


def _said(name: str, value: int | float | timedelta) -> str:
    if isinstance(value, timedelta):
        return str(value)
    if name.endswith("BYTES") and value % limits.MEGABYTE == 0:
        return f"{int(value) // limits.MEGABYTE:,} MB"
    return f"{value:,.0f}" if "YEAR" not in name else str(value)


def _choices() -> Iterator[Limit]:
    """What a company may choose in ``finpipe.toml``."""
    lines = (PROJECT / "finpipe" / "settings.py").read_text(encoding="utf-8").splitlines()
    for name in ("memory_limit", "threads", "keep_publications"):
        at = next(n for n, line in enumerate(lines, 1) if line.startswith(f"    {name}: "))
        yield Limit("finpipe.toml", name, str(getattr(Config(), name)), _above([x.strip() for x in lines], at))


def _instance() -> Iterator[Limit]:
    """What Dagster is told, with the comment above each part."""
    text = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    said, _ = dagster_instance_config(str(PROJECT))
    for part in ("concurrency", "run_monitoring", "run_retries", "retention"):
        comment = re.search(rf"((?:^#.*\n)+){part}:", text, re.MULTILINE)
        why = " ".join(line.lstrip("# ") for line in comment[1].splitlines()) if comment else ""
        for number, (name, value) in enumerate(_leaves(said[part])):
            yield Limit("dagster.yaml", f"{part}.{name}", f"{value:,}", why if number == 0 else "")


def _leaves(said: Mapping[str, object], above: str = "") -> Iterator[tuple[str, int]]:
    for name, value in said.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{above}{name}", value


def rendered() -> str:
    """The whole page."""
    parts = {title: [x for x in stated() if x.place.split("/")[0] == area] for area, title in _AREAS.items()}
    parts["Elsewhere"] = [x for x in stated() if x.place.split("/")[0] not in _AREAS]
    parts["A company's choice"] = list(_choices())
    parts["Dagster's instance"] = list(_instance())
    return _HEAD + "".join(_table(title, found) for title, found in parts.items() if found)


def _table(title: str, found: list[Limit]) -> str:
    rows = "".join(f"| `{x.name}` | {x.value} | {x.why} | `{x.place}` |\n" for x in found)
    return f"\n## {title}\n\n| limit | value | why | where |\n|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
