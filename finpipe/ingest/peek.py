"""A look at the first JSON objects of a file, enough to tell what kinds it holds.

Belongs here: tolerant parsing of a file's beginning.  Does not belong here: judging the file; the reader does.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from finpipe.ingest import limits

_BETWEEN = re.compile(r"[\s,]*")


def kinds(head: bytes, settings: dict[str, Any]) -> set[str]:
    """Kinds of the first objects, seen through arrays, list pages and event envelopes."""
    path = str(settings.get("kind", "")).split(".")
    records = tuple(settings.get("records", ()))
    found = set()
    for one in objects(head, records):
        value: Any = one
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            found.add(value)
    return found


def objects(head: bytes, records: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The first objects of a file's beginning; what cannot be parsed ends the look."""
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    count = 0
    for one in _values(text, records):
        for row in _unwrapped(one, records):
            yield row
            count += 1
            if count >= limits.PEEK_OBJECTS:
                return


def _values(text: str, records: tuple[str, ...]) -> Iterator[Any]:
    """Values that stand one after the other, in an array, or in a page too long to be seen whole."""
    decoder, at = json.JSONDecoder(), 1 if text.startswith("[") else 0
    while True:  # ends with the text, which is a peek
        at = _end(_BETWEEN, text, at)
        try:
            value, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            break
        yield value
    if records and (opened := re.search(rf'"({"|".join(map(re.escape, records))})"\s*:\s*\[', text[at:])):
        inner = text[at + opened.end() :]
        yield from _values("[" + inner, ()) if inner else ()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _unwrapped(value: Any, records: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows of a list page, or the object itself; the object that an event is about."""
    if not isinstance(value, dict):
        return
    pages = (value[member] for member in records if isinstance(value.get(member), list))
    for row in next(pages, [value]):
        if isinstance(row, dict):
            yield _subject(row)


def _subject(value: dict[str, Any]) -> dict[str, Any]:
    about = value.get("data")
    inner = about.get("object") if value.get("object") == "event" and isinstance(about, dict) else None
    return inner if isinstance(inner, dict) else value
