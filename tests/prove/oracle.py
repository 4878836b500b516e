"""What must come out, by a reader of its own: the standard library's csv and decimal, nothing of finpipe.

Belongs here: rows and money of landed statement files at every stage.  Does not belong here: how finpipe gets there.
"""

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

#: Rows and money, by currency.
Money = dict[str, tuple[int, Decimal]]


@dataclass(frozen=True)
class Statement:
    """One landed file as the oracle reads it; a file with a line of another width than its header is refused whole."""

    order: int
    name: str
    rows: tuple[tuple[str, ...], ...]
    is_refused: bool

    @property
    def money(self) -> Decimal:
        """What the ledger must say of the file: the sum of all amounts that are numbers."""
        return sum((a for a in map(amount, self.rows) if a is not None), Decimal(0))


@dataclass
class Figures:
    """What canonical and quarantine must hold."""

    accepted: Money = field(default_factory=dict)
    quarantined: int = 0


def amount(row: tuple[str, ...]) -> Decimal | None:
    """The amount of a line, or none when it is no number."""
    try:
        return Decimal(row[4])
    except InvalidOperation:
        return None


def landed(landing: Path) -> list[Statement]:
    """Every landed file, in landing order, from its manifest and its bytes; raises when bytes and digest disagree."""
    found = []
    for manifest in landing.glob("*/*/*/*.json"):
        said = json.loads(manifest.read_text(encoding="utf-8"))
        data = (landing / said["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != said["sha256"] or len(data) != said["bytes"]:
            raise ValueError(f"landed file {said['original_name']} is torn")
        header, *rows = [tuple(line) for line in csv.reader(data.decode("utf-8").splitlines()) if line]
        is_refused = any(len(row) != len(header) for row in rows)
        found.append(Statement(said["order"], said["original_name"], () if is_refused else tuple(rows), is_refused))
    return sorted(found, key=lambda s: s.order)


def figures(statements: Iterable[Statement]) -> Figures:
    """Of each numbered line the newest content is in force; a content that comes again is the old one."""
    first: dict[tuple[str, ...], int] = {}
    for statement in statements:
        for row in statement.rows:
            first.setdefault(row, statement.order)
    newest: dict[tuple[str, ...], tuple[int, tuple[str, ...]]] = {}
    for row, order in first.items():
        if order > newest.get(row[:3], (0, ()))[0]:
            newest[row[:3]] = (order, row)
    said = Figures()
    for _, row in newest.values():
        if (value := amount(row)) is None:
            said.quarantined += 1
        else:
            rows, total = said.accepted.get(row[5], (0, Decimal(0)))
            said.accepted[row[5]] = (rows + 1, total + value)
    return said
