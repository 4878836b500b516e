"""A company's extracts delivered otherwise: split, merged, sent again, with records overlapping, in another order.

Belongs here: taking files apart and putting them together so that they say the same.  Does not belong here: judging
what became of them.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

#: What cannot be taken apart is delivered whole.
WHOLE = (".sta",)


@dataclass(frozen=True)
class Delivery:
    """Some records of one extract, or a whole file that is no list of records."""

    system: str
    stem: str
    suffix: str
    header: tuple[str, ...]
    records: tuple[str, ...]

    def write(self, folder: Path, number: int) -> Path:
        """Write it as a file of its own: ``<stem>_<number>`` is how connectors number deliveries."""
        path = folder / self.system / f"{self.stem}_{number}{self.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join((*self.header, *self.records)), encoding="utf-8", newline="")
        return path


def whole(sources: Path, systems: tuple[str, ...]) -> list[Delivery]:
    """The sample extracts of systems, one delivery a file."""
    return [_read(system, path) for system in systems for path in sorted((sources / system / "sample").iterdir())]


def _read(system: str, path: Path) -> Delivery:
    stem = path.stem.rpartition("_")[0] or path.stem if system != "stripe" and system != "bank" else path.stem
    stem = "statement" if system == "bank" else stem
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        header, *rows = (_line(row) for row in csv.reader(io.StringIO(text)))
        return Delivery(system, stem, ".csv", (header,), tuple(rows))
    if path.suffix == ".jsonl":
        return Delivery(system, stem, ".jsonl", (), tuple(line + "\n" for line in text.splitlines()))
    return Delivery(system, stem, path.suffix, (text,), ())


def _line(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def otherwise(deliveries: list[Delivery], random: Random) -> Iterator[Delivery]:
    """The same records: files in parts, merged, sent twice or overlapping, in another order."""
    parts: list[Delivery] = []
    for merged in _merged(deliveries, random):
        parts += _parts(merged, random)
    parts += [_some_of(part, random) for part in parts if random.random() < 0.15]
    random.shuffle(parts)
    yield from parts


def _merged(deliveries: list[Delivery], random: Random) -> list[Delivery]:
    """Files of one table with one header become one file, for half of them."""
    found: dict[tuple[object, ...], Delivery] = {}
    for number, one in enumerate(deliveries):
        is_apart = not one.records or random.random() < 0.5
        kind = (one.system, one.stem, one.suffix, one.header, number if is_apart else -1)
        before = found[kind].records if kind in found else ()
        found[kind] = Delivery(one.system, one.stem, one.suffix, one.header, before + one.records)
    return list(found.values())


def _parts(one: Delivery, random: Random) -> list[Delivery]:
    """Up to four parts whose records are shuffled, too."""
    records = list(one.records)
    random.shuffle(records)
    count = min(random.choice((1, 1, 2, 4)), max(1, len(records)))
    return [Delivery(one.system, one.stem, one.suffix, one.header, tuple(records[n::count])) for n in range(count)]


def _some_of(one: Delivery, random: Random) -> Delivery:
    """A part again: whole, which is the same file, or about half of its records."""
    if not one.records or random.random() < 0.5:
        return one
    return Delivery(one.system, one.stem, one.suffix, one.header, one.records[:: random.choice((1, 2))])


def older(deliveries: list[Delivery], column: str, stamp: str, moved: str) -> list[Delivery]:
    """Former states of CSV records: stamped earlier, with another value, so that the newest must win in any order."""
    found = []
    for one in deliveries:
        names = next(csv.reader(one.header), []) if one.suffix == ".csv" else []
        if {column, moved} <= set(names):
            rows = list(csv.reader(one.records))
            for row in rows:
                row[names.index(column)], row[names.index(moved)] = stamp, "1"
            found.append(Delivery(one.system, one.stem, one.suffix, one.header, tuple(map(_line, rows))))
    assert found, f"no extract has {column} and {moved}"
    return found


def as_json(value: object) -> str:
    """One value in a canonical spelling."""
    return json.dumps(value, sort_keys=True, default=str)
