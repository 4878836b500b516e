"""Drills: the same company delivered as a sequence of small drops, with what goes wrong in deliveries.

Belongs here: cutting finished extracts into dated drops, earlier versions of rows that changed, and mishaps of files.
Does not: what the extracts hold. It reads whole extracts, so it is meant for small companies.

``drops/<day>/<system>/<table>_<day>.<ext>`` (by the hour ``<day>T<hh>``, by the month ``<yyyy-mm>``). A row comes when
its system made or changed it; objects that change come as they were first and as they became, Stripe's with an
``updated`` stamp. A drop from which the company's configuration is another one holds its ``finpipe.toml``. What
happened to the files stands in ``truth/drops.csv``:

==========  =======================================================================================================
kind        what happens
==========  =======================================================================================================
late        the file arrives two to four drops later, under its own day's name
redelivered the same bytes arrive again with the next drop
overlap     the next file of the table begins with all rows of this one
torn        the file ends in the middle of a row; the whole one follows with the next drop, under the same name
swapped     this file and the next of the table arrive in each other's drop
renamed     from the middle of the fifth quarter on, Opportunity calls ``Signed_Date__c`` ``Countersigned_On__c``
replaced    from the seventh month on the ERP is another system (``netsuite_2``): its first drop holds the migrated
            history, all ids of customers and transactions are other ones, and the old system is silent; see
            `finpipe.demo.replaced` for who names records by which id
==========  =======================================================================================================
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from finpipe.demo.config import configuration
from finpipe.demo.out import DemoError
from finpipe.demo.replaced import NEW_ERP, OLD_ERP, Replacement
from finpipe.demo.states import related, versions
from finpipe.demo.world import Horizon, plus_months

RHYTHMS = ("hour", "day", "month")
RENAMED_FILE, RENAMED_FROM, RENAMED_TO = "salesforce/Opportunity.csv", "Signed_Date__c", "Countersigned_On__c"
_STAMPS = ("SystemModstamp", "lastmodifieddate", "linelastmodifieddate", "deleteddate", "booking_date")
_MISHAPS = ((20, "late"), (35, "redelivered"), (50, "overlap"), (60, "torn"), (75, "swapped"))  # upper edges, per mille
MISHAPS = (*(kind for _, kind in _MISHAPS), "renamed", "replaced")


def chosen_mishaps(text: str) -> frozenset[str]:
    """Read ``all``, ``none`` or kinds with commas between; raises DemoError for a kind that is none."""
    if text in ("all", "none"):
        return frozenset(MISHAPS if text == "all" else ())
    kinds = {part.strip() for part in text.split(",")}
    if strange := sorted(kinds - set(MISHAPS)):
        raise DemoError(f"unknown mishap {', '.join(strange)}: known are {', '.join(MISHAPS)}")
    return frozenset(kinds)


@dataclass
class Table:
    """One table of one system as delivered: its header (CSV only) and its lines by slot."""

    name: str  # system/table.ext
    header: str | None
    slots: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def deliver(root: Path, horizon: Horizon, seed: int, rhythm: str, mishaps: frozenset[str]) -> None:
    """Cut ``root/extracts`` into ``root/drops`` and list the mishaps in ``root/truth/drops.csv``."""
    extracts, clock = root / "extracts", _Clock(horizon, rhythm)
    replacement = Replacement.of(extracts, clock.replaced_on) if "replaced" in mishaps else None
    if replacement:
        replacement.truth(extracts).write_csv(root / "truth" / "erp_ids.csv")
    drill = _Drill(seed, clock, mishaps, replacement)
    for path in sorted(extracts.glob("*/*")):
        if path.stem.endswith(str(horizon.cut)):  # sent once more on the last day: delivered as it is
            _put_whole(root / "drops", path, clock)
            continue
        for table in _tables(path, extracts, drill):
            _write(root / "drops", table, drill)
    _configure(root / "drops", drill)
    frame = pl.DataFrame(sorted(drill.log), schema=["file", "kind", "drop"], orient="row")
    frame.write_csv(root / "truth" / "drops.csv")


@dataclass(frozen=True)
class _Clock:
    """Turns moments into slots: within the horizon, on working hours when by the hour."""

    horizon: Horizon
    rhythm: str

    def slot(self, day: date, text: str) -> str:
        """Return the slot a line made on a day belongs to."""
        kept = min(max(day, self.horizon.start), self.horizon.cut)
        if self.rhythm == "month":
            return f"{kept:%Y-%m}"
        return f"{kept}T{8 + zlib.crc32(text.encode()) % 10:02d}" if self.rhythm == "hour" else str(kept)

    def opening(self, day: date) -> str:
        """Return the first slot of a day."""
        return f"{day:%Y-%m}" if self.rhythm == "month" else f"{day}T08" if self.rhythm == "hour" else str(day)

    @property
    def answered_on(self) -> date:
        """The day of the drop after the first one with the renamed column: somebody had to notice."""
        if self.rhythm == "month":
            return plus_months(self.renamed_on.replace(day=1), 2)
        return self.renamed_on + timedelta(days=1)

    @property
    def replaced_on(self) -> date:
        """The first day of the new ERP."""
        return plus_months(self.horizon.start, 6)

    @property
    def renamed_on(self) -> date:
        """The middle of the fifth quarter."""
        return plus_months(self.horizon.start, 12) + timedelta(days=45)


@dataclass(frozen=True)
class _Drill:
    """What decides the drops of a company, and the log of what happened to files: file, kind, drop."""

    seed: int
    clock: _Clock
    mishaps: frozenset[str]
    replacement: Replacement | None
    log: list[tuple[str, str, str]] = field(default_factory=list)


def _configure(drops: Path, drill: _Drill) -> None:
    """Write the company's ``finpipe.toml`` into the drops from which it holds: what its data engineer answers."""
    clock = drill.clock
    told = {clock.opening(clock.horizon.start): configuration()}
    if "replaced" in drill.mishaps:
        told[clock.opening(clock.replaced_on)] = configuration(replaced=True)
    if "renamed" in drill.mishaps:
        told[clock.opening(clock.answered_on)] = configuration(replaced="replaced" in drill.mishaps, renamed=True)
    for slot, text in told.items():
        (drops / slot).mkdir(parents=True, exist_ok=True)
        (drops / slot / "finpipe.toml").write_text(text, encoding="utf-8")


def _tables(path: Path, base: Path, drill: _Drill) -> Iterator[Table]:
    name, clock, replacement = path.relative_to(base).as_posix(), drill.clock, drill.replacement
    if path.suffix == ".jsonl":
        yield _json_table(path, name, drill)
        return
    rows = _csv_versions(name, pl.read_csv(path, infer_schema=False))
    if replacement is None:
        yield _csv_table(name, rows, clock)
        return
    if not name.startswith(OLD_ERP + "/"):
        yield _csv_table(name, replacement.named(name, rows), clock)
        return
    end = replacement.on
    yield _csv_table(name, rows.filter(pl.col("_day") < end), clock)
    kept = rows.with_columns(_day=pl.max_horizontal("_day", pl.lit(end)))
    # The history migrates as it is, not as it was: of a row that changed before, only the last version.
    changing = name.endswith(("/transaction.csv", "/customer.csv"))
    kept = kept.unique(["id", "_day"], keep="last", maintain_order=True) if changing else kept
    yield _csv_table(name.replace(OLD_ERP, NEW_ERP, 1), replacement.in_new_erp(path.stem, kept), clock)


def _csv_versions(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the ``_day`` they come on; rows that changed come twice."""
    stamp = next((c for c in _STAMPS if c in frame.columns), None)
    day = pl.col(stamp).str.slice(0, 10) if stamp else pl.lit("0001-01-01")
    last = frame.with_columns(_day=day)
    if name == f"{OLD_ERP}/transaction.csv":
        made = pl.col("createddate").str.slice(0, 10)
        status = pl.when(pl.col("type") == "CustInvc").then(pl.lit("CustInvc:A")).otherwise(pl.col("status"))
        first = last.filter(made < pl.col("_day")).with_columns(
            _day=made, lastmodifieddate=pl.col("createddate"), status=status
        )
        return pl.concat([first, last])
    if name == f"{OLD_ERP}/customer.csv":
        made = pl.col("datecreated").str.slice(0, 10)
        first = last.filter(made < pl.col("_day")).with_columns(
            _day=made, lastmodifieddate=pl.col("datecreated"),
            companyname=pl.col("companyname").str.replace(" Group ", " ", literal=True),
        )  # fmt: skip
        return pl.concat([first, last])
    if name == "salesforce/Account.csv":
        gone = pl.lit(None, dtype=pl.String)
        made = pl.col("CreatedDate").str.slice(0, 10)
        first = last.filter(made < pl.col("_day")).with_columns(
            _day=made, IsDeleted=pl.lit("false"), MasterRecordId=gone,
            Name=pl.col("Name").str.replace(" Group ", " ", literal=True),
            LastModifiedDate=pl.col("CreatedDate"), SystemModstamp=pl.col("CreatedDate"),
        )  # fmt: skip
        return pl.concat([first, last])
    return last


def _csv_table(name: str, frame: pl.DataFrame, clock: _Clock) -> Table:
    text = frame.drop("_day").write_csv().splitlines()
    table = Table(name, text[0])
    for day, line in zip(frame["_day"].to_list(), text[1:], strict=True):
        table.slots[clock.slot(date.fromisoformat(day), line)].append(line)
    return table


def _json_table(path: Path, name: str, drill: _Drill) -> Table:
    table, touched = Table(name, None), related(path)
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        for moment, state in versions(path.stem, drill.replacement.told(item) if drill.replacement else item, touched):
            text = json.dumps(state | {"updated": moment}, separators=(",", ":"), ensure_ascii=False)
            day = datetime.fromtimestamp(moment, tz=UTC).date()
            table.slots[drill.clock.slot(day, str(state.get("id")))].append(text)
    return table


# ── files and what happens to them ───────────────────────────────────────────────────────────────────────────────


def _mishap(drill: _Drill, name: str, slot: str) -> str | None:
    roll = zlib.crc32(f"{drill.seed}|{name}|{slot}".encode()) % 1000
    kind = next((kind for edge, kind in _MISHAPS if roll < edge), None)
    return kind if kind in drill.mishaps else None


def _write(root: Path, table: Table, drill: _Drill) -> None:
    slots = sorted(table.slots)
    carried: list[str] = []
    swapped_with: str | None = None
    for at, slot in enumerate(slots):
        later = slots[min(at + 1, len(slots) - 1)]
        # The last file of a table is left alone: nothing would come after it to make it good.
        kind = _mishap(drill, table.name, slot) if later != slot and swapped_with is None else None
        lines, carried = carried + table.slots[slot], []
        whole = _bytes(table, lines, slot, drill)
        where = slot
        if kind == "late":
            where = slots[min(at + 2 + len(lines) % 3, len(slots) - 1)]
        elif kind == "swapped":
            where, swapped_with = later, slot
        elif swapped_with is not None:
            where, swapped_with = swapped_with, None
        elif kind == "overlap":
            carried = table.slots[slot]
        _put(root, table, slot, where, whole[: len(whole) * 3 // 5] if kind == "torn" else whole)
        if kind in ("redelivered", "torn"):
            _put(root, table, slot, later, whole)
        if kind:
            drill.log.append((_file(table, slot), kind, where))
    _log_changes(table, drill)


def _log_changes(table: Table, drill: _Drill) -> None:
    if table.name == RENAMED_FILE and "renamed" in drill.mishaps:
        drill.log.append((table.name, "renamed", str(drill.clock.renamed_on)))
    if table.name.startswith(NEW_ERP):
        drill.log.append((table.name, "replaced", str(drill.clock.replaced_on)))


def _bytes(table: Table, lines: list[str], slot: str, drill: _Drill) -> bytes:
    header = table.header
    is_late = "renamed" in drill.mishaps and slot[:10] >= str(drill.clock.renamed_on)
    if header and table.name == RENAMED_FILE and is_late:
        header = header.replace(RENAMED_FROM, RENAMED_TO)
    return ("\n".join([header, *lines] if header else lines) + "\n").encode()


def _file(table: Table, slot: str) -> str:
    stem, _, extension = table.name.rpartition(".")
    return f"{stem}_{slot}.{extension}"


def _put_whole(root: Path, path: Path, clock: _Clock) -> None:
    target = root / clock.slot(clock.horizon.cut, path.name) / path.parent.name / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())


def _put(root: Path, table: Table, slot: str, where: str, data: bytes) -> None:
    path = root / where / _file(table, slot)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
