"""Text of the files the sample consists of: CSV, JSON lines, JSON pages. UTF-8, LF."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def csv_text(rows: Iterable[Row]) -> str:
    """A header from the first row; None is an empty field."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def jsonl_text(objects: Iterable[Row]) -> str:
    return "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)


def json_text(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def yes(value: object) -> str:
    """NetSuite's boolean."""
    return "T" if value else "F"
