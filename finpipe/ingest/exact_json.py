"""JSON that DuckDB would read inexactly or too kindly, parsed strictly and rewritten so that no digit is lost.

Belongs here: the slow, exact way for the few files that need it (numbers beyond 15 digits, tokens that are no JSON).
Does not belong here: the bulk path.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from finpipe.errors import FinpipeError

#: An exponent beyond which a double may be zero, or none at all.
_TINY = re.compile(r"[eE][-+]?[0-9]{3}")
_BETWEEN = re.compile(r"[ \t\r\n]*")


def rewritten(plain: Path, name: str, folder: Path) -> Path:
    """The file's values as JSON lines in which long numbers are text; raises ``FinpipeError`` when malformed."""
    target = folder / "exact.jsonl"
    try:
        with target.open("w", encoding="utf-8") as out:
            for value in _values(plain.read_text(encoding="utf-8-sig"), name):
                for one in value if isinstance(value, list) else [value]:
                    out.write(json.dumps(one, ensure_ascii=False) + "\n")
    except (UnicodeDecodeError, UnicodeEncodeError, RecursionError) as problem:
        raise malformed(name, str(problem)) from None
    return target


def malformed(name: str, got: str) -> FinpipeError:
    """The refusal of a file that is no JSON."""
    return FinpipeError(
        "the JSON is malformed", where=name, got=got, fix="the file is torn or hand-made: export it again"
    )


def _values(text: str, name: str) -> Iterator[Any]:
    """Values one after the other."""
    decoder = json.JSONDecoder(
        parse_float=_number, parse_int=_number, parse_constant=_constant, object_pairs_hook=_members
    )
    at = _after_blank(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as problem:
            raise malformed(name, str(problem)) from None
        yield value
        at = _after_blank(text, at)


def _after_blank(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at


def _number(text: str) -> float | int | str:
    """A number that a double keeps stays a number, so that it reads as in any other file; a longer one is text."""
    digits = sum(c.isdigit() for c in re.split("[eE]", text)[0])
    if digits > 15 or _TINY.search(text):
        return text
    return float(text) if any(c in text for c in ".eE") else int(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON value")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [n for n, _ in pairs]
        raise ValueError(f"a member occurs twice: {next(n for n in names if names.count(n) > 1)}")
    return members
