"""Drills: the same company delivered as a sequence of small drops, with what goes wrong in deliveries.

Belongs here: cutting finished extracts into dated drops, earlier versions of rows that changed, and mishaps of files.
Does not: what the extracts hold. It reads whole extracts, so it is meant for small companies.

``drops/<day>/<system>/<table>_<day>.<ext>`` (by the hour: ``<day>T<hh>``). A row comes when its system made or changed
it; objects that change come as they were first and as they became, Stripe's with an ``updated`` stamp. What happened to
the files stands in ``truth/drops.csv``:

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
            history, all ids of customers and transactions are other ones, and the old system is silent
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
from typing import Any

import polars as pl

from finpipe.demo.world import Horizon, plus_months

OLD_ERP, NEW_ERP = "netsuite", "netsuite_2"
RENAMED_FILE, RENAMED_FROM, RENAMED_TO = "salesforce/Opportunity.csv", "Signed_Date__c", "Countersigned_On__c"
_STAMPS = ("SystemModstamp", "lastmodifieddate", "linelastmodifieddate", "deleteddate", "booking_date")
_ERP_IDS: dict[str, tuple[str, ...]] = {
    "customer": ("id", "parent"),
    "transaction": ("id", "entity"),
    "transactionline": ("uniquekey", "transaction", "entity"),
    "transactionaccountingline": ("transaction",),
    "nexttransactionlinelink": ("previousdoc", "nextdoc"),
    "deletedrecord": ("recordid",),
}
_MISHAPS = ((20, "late"), (35, "redelivered"), (50, "overlap"), (60, "torn"), (75, "swapped"))  # upper edges, per mille

Object = dict[str, Any]
Event = tuple[str, str]  # slot (day, or day and hour), one line of text


@dataclass
class Table:
    """One table of one system as delivered: its header (CSV only) and its lines by slot."""

    name: str  # system/table.ext
    header: str | None
    slots: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def deliver(root: Path, horizon: Horizon, seed: int, *, hourly: bool) -> None:
    """Cut ``root/extracts`` into ``root/drops`` and list the mishaps in ``root/truth/drops.csv``."""
    clock = _Clock(horizon, hourly=hourly)
    log: list[tuple[str, str, str]] = []
    for path in sorted((root / "extracts").glob("*/*")):
        if path.stem.endswith(str(horizon.cut)):  # sent once more on the last day: delivered as it is
            _put_whole(root / "drops", path, clock)
            continue
        for table in _tables(path, root / "extracts", clock):
            _write(root / "drops", table, seed, log, clock)
    frame = pl.DataFrame(sorted(log), schema=["file", "kind", "drop"], orient="row")
    frame.write_csv(root / "truth" / "drops.csv")


@dataclass(frozen=True)
class _Clock:
    """Turns moments into slots: within the horizon, on working hours when by the hour."""

    horizon: Horizon
    hourly: bool

    def slot(self, day: date, text: str) -> str:
        """Return the slot a line made on a day belongs to."""
        kept = min(max(day, self.horizon.start), self.horizon.cut)
        return f"{kept}T{8 + zlib.crc32(text.encode()) % 10:02d}" if self.hourly else str(kept)

    @property
    def replaced_on(self) -> date:
        """The first day of the new ERP."""
        return plus_months(self.horizon.start, 6)

    @property
    def renamed_on(self) -> date:
        """The middle of the fifth quarter."""
        return plus_months(self.horizon.start, 12) + timedelta(days=45)


def _tables(path: Path, base: Path, clock: _Clock) -> Iterator[Table]:
    name = path.relative_to(base).as_posix()
    if path.suffix == ".jsonl":
        yield _json_table(path, name, clock)
        return
    frame = pl.read_csv(path, infer_schema=False)
    versions = _csv_versions(name, frame)
    if not name.startswith(OLD_ERP + "/"):
        yield _csv_table(name, versions, clock)
        return
    end = str(clock.replaced_on)
    yield _csv_table(name, versions.filter(pl.col("_day") < end), clock)
    kept = versions.with_columns(_day=pl.max_horizontal("_day", pl.lit(end)))
    # The history migrates as it is, not as it was: of a row that changed before, only the last version.
    keys = [c for c in kept.columns if c in ("id", "uniquekey")][-1:] if name.endswith("/transaction.csv") else []
    kept = kept.unique([*keys, "_day"], keep="last", maintain_order=True) if keys else kept
    stem = path.stem
    new = pl.col(*_ERP_IDS[stem]) if stem in _ERP_IDS else None
    if new is not None:
        kept = kept.with_columns(pl.when(new.is_not_null()).then(pl.lit("9") + new.str.zfill(11)).name.keep())
    yield _csv_table(name.replace(OLD_ERP, NEW_ERP, 1), kept, clock)


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


# ── Stripe: objects as they were, and as they became ─────────────────────────────────────────────────────────────


def _json_table(path: Path, name: str, clock: _Clock) -> Table:
    table = Table(name, None)
    related = _related(path)
    for line in path.read_text(encoding="utf-8").splitlines():
        for moment, item in _versions(path.stem, json.loads(line), related):
            text = json.dumps(item | {"updated": moment}, separators=(",", ":"), ensure_ascii=False)
            table.slots[clock.slot(datetime.fromtimestamp(moment, tz=UTC).date(), str(item.get("id")))].append(text)
    return table


def _related(path: Path) -> dict[str, int]:
    """Return when something later touched an object: refunds and disputes a charge, credit notes an invoice."""
    sources = {"charge": (("refund", "charge"), ("dispute", "charge")), "invoice": (("credit_note", "invoice"),),
               "balance_transaction": (("payout", "id"),), "invoice_line_item": (("invoice", "id"),)}  # fmt: skip
    found: dict[str, int] = {}
    for table, member in sources.get(path.stem, ()):
        for line in (path.parent / f"{table}.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            found[item[member]] = item["created"]
    return found


def _versions(table: str, item: Object, related: dict[str, int]) -> list[tuple[int, Object]]:
    """Return (moment, object) in order: first as created, then as it became."""
    # Line items and deleted customers carry no date: the former come with their invoice, the latter at once.
    made: int = item.get("created") or related.get(item.get("invoice", ""), 0)
    early = _EARLY.get(table)
    changed = _changed_at(table, item, related)
    if early is None or changed is None:
        return [(made, item)]
    return [(made, item | early(item)), (max(changed, made + 1), item)]


def _changed_at(table: str, item: Object, related: dict[str, int]) -> int | None:
    if table == "invoice":
        moments = item["status_transitions"]
        settled: int | None = moments["paid_at"] or moments["voided_at"] or moments["marked_uncollectible_at"]
        return related.get(item["id"], settled)
    if table == "subscription":
        ended: int | None = item["ended_at"]
        return ended
    if table == "payout" and item["status"] in ("paid", "failed"):
        return int(item["created"]) + 86_400 * (2 if item["status"] == "paid" else 3)
    if table == "dispute" and item["status"] in ("won", "lost"):
        return int(item["created"]) + 86_400 * 40
    if table == "balance_transaction" and item["payout"]:
        return related[item["payout"]]
    return related.get(item["id"]) if table == "charge" else None


def _open_invoice(item: Object) -> Object:
    moments = item["status_transitions"] | dict.fromkeys(("paid_at", "voided_at", "marked_uncollectible_at"))
    return {"status": "open", "amount_paid": 0, "amount_remaining": item["amount_due"], "status_transitions": moments,
            "post_payment_credit_notes_amount": 0, "attempted": False}  # fmt: skip


_EARLY: dict[str, Any] = {
    "invoice": _open_invoice,
    "charge": lambda _: {"amount_refunded": 0, "refunded": False, "disputed": False},
    "subscription": lambda _: {"status": "active", "ended_at": None},
    "dispute": lambda i: {"status": "needs_response", "balance_transactions": i["balance_transactions"][:1]},
    "balance_transaction": lambda _: {"payout": None, "status": "pending"},
    "payout": lambda _: {
        "status": "in_transit", "failure_balance_transaction": None, "failure_code": None,
        "trace_id": {"status": "pending", "value": None},
    },
}  # fmt: skip


# ── files and what happens to them ───────────────────────────────────────────────────────────────────────────────


def _mishap(seed: int, name: str, slot: str) -> str | None:
    roll = zlib.crc32(f"{seed}|{name}|{slot}".encode()) % 1000
    return next((kind for edge, kind in _MISHAPS if roll < edge), None)


def _write(root: Path, table: Table, seed: int, log: list[tuple[str, str, str]], clock: _Clock) -> None:
    slots = sorted(table.slots)
    carried: list[str] = []
    swapped_with: str | None = None
    for at, slot in enumerate(slots):
        later = slots[min(at + 1, len(slots) - 1)]
        # The last file of a table is left alone: nothing would come after it to make it good.
        kind = _mishap(seed, table.name, slot) if later != slot and swapped_with is None else None
        lines, carried = carried + table.slots[slot], []
        whole = _bytes(table, lines, slot, clock)
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
            log.append((_file(table, slot), kind, where))
    _log_changes(table, log, clock)


def _log_changes(table: Table, log: list[tuple[str, str, str]], clock: _Clock) -> None:
    if table.name == RENAMED_FILE:
        log.append((table.name, "renamed", str(clock.renamed_on)))
    if table.name.startswith(NEW_ERP):
        log.append((table.name, "replaced", str(clock.replaced_on)))


def _bytes(table: Table, lines: list[str], slot: str, clock: _Clock) -> bytes:
    header = table.header
    if header and table.name == RENAMED_FILE and slot[:10] >= str(clock.renamed_on):
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
