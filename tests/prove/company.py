"""A company of a few bank statements, taken through the stages one by one; every function here runs in a process.

Belongs here: deliveries, the stages as they are called, and what is seen of a home afterwards.
Does not belong here: what must be seen (``oracle``).
dbt is replaced by one mart, except where a stage says so: starting dbt costs more than everything else together.
"""

import atexit
import gc
import hashlib
import importlib
import json
import os
import random
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars  # noqa: F401
import pyarrow.compute
import pyarrow.parquet  # noqa: F401

from finpipe import ingest, systems
from finpipe.build import run as build_module
from finpipe.conform import conform as conform_stage
from finpipe.contracts import columns, entities, version_of
from finpipe.ingest import land as land_stage
from finpipe.ingest.landing import manifests
from finpipe.ingest.stage import quiet_dlt
from finpipe.orchestration.publish import publish_audited
from finpipe.publish import current, digest_tables, manifest_of, query, whole
from finpipe.settings import PROJECT, Home
from finpipe.systems import System, find_systems
from finpipe.warehouse import connect, raw_lock, write_lock

STAGES = ("land", "load", "conform", "build", "publish")
AS_OF = date(2025, 6, 30)
_SETTINGS = "threads = 1\nkeep_publications = 2\n"
_HEADER = "statement_id,account_id,line_number,booking_date,amount,currency,bank_reference"
_PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
_MART = """
create or replace table marts.cash as
select bank_account, currency, booked_on, cast(sum(amount) as decimal(18, 4)) as amount, count(*) as lines
from canonical.bank_transactions where not is_deleted group by all"""

#: What stages import late, as users of the command line pay only for what they use.
_LATE = (
    "chardet",
    "dlt._workspace.cli._plugins",
    "dlt.common.configuration.plugins",
    "dlt.common.libs.pyarrow",
    "dlt.sources.helpers.requests",
    "fsspec.implementations.chained",
    "fsspec.implementations.local",
    "pandera.backends.polars.builtin_checks",
    "pendulum.locales.en.locale",
)


def _warm() -> None:
    """Import and derive now what every process would derive again; nothing here may start a thread."""
    os.environ["LOAD__WORKERS"] = "1"  # dlt's: the same calls in the same order, each time
    quiet_dlt()
    for module in _LATE:
        importlib.import_module(module)
    for entity in entities().values():
        columns(entity)
        version_of(entity)
    described = {path: systems.read_system(path, {}) for path in (PROJECT / "sources").glob("*/system.toml")}
    read = systems.read_system
    systems.read_system = lambda path, own, name=None: (
        described[path] if path in described and not own and not name else read(path, own, name)
    )
    code = build_module.code_version()
    build_module.code_version = lambda: code
    if os.environ.get("FINPIPE_PROVE") == "full":
        importlib.import_module("dbt.cli.main")  # three seconds that are no part of a stage


_warm()
# A collection in a child would copy every page of its parent; at the end all is let go again, or DuckDB complains.
gc.freeze()
atexit.register(gc.unfreeze)


# Deliveries ---------------------------------------------------------------------------------------------------------


def deliver(folder: Path, seed: int, generations: int) -> list[Path]:
    """Write the company's deliveries, one folder each: new lines, corrected ones, ones that come again, ones whose
    amount is no number, and now and then a file that is torn."""
    chance = random.Random(seed)
    lines: list[list[str]] = []
    folders = []
    for generation in range(generations):
        place = folder / str(generation)
        place.mkdir(parents=True)
        for number in range(chance.randint(2, 3)):
            chosen = [_new(chance, len(lines) + n) for n in range(chance.randint(2, 6))]
            lines += chosen
            chosen += _again(chance, lines[: -len(chosen)])
            text = "\n".join([_HEADER, *(",".join(line) for line in chosen)])
            is_torn = generation > 0 and number == 0 and chance.random() < 0.3
            (place / f"statement_{generation}{number}.csv").write_text(text[:-9] if is_torn else text + "\n")
        folders.append(place)
    return folders


def _new(chance: random.Random, number: int) -> list[str]:
    currency = chance.choice(list(_PLACES))
    value = "n/a" if chance.random() < 0.05 else _amount(chance, currency)
    day = f"2025-{chance.randint(1, 6):02}-{chance.randint(1, 28):02}"
    return [f"S-{number // 4}", f"ACC-{currency}", str(number), day, value, currency, f"BK{number:05}"]


def _amount(chance: random.Random, currency: str) -> str:
    places = _PLACES[currency]
    return f"{Decimal(chance.randint(-(10**9), 10**9)).scaleb(-places):.{places}f}"


def _again(chance: random.Random, before: list[list[str]]) -> list[list[str]]:
    """Some earlier lines, as they were or corrected; a line at most once in a file."""
    found = []
    for line in chance.sample(before, min(2, len(before))):
        found.append(list(line))
        if chance.random() < 0.6:
            found[-1][4] = _amount(chance, line[5])
            line[4] = found[-1][4]
    return found


# Stages -------------------------------------------------------------------------------------------------------------


def home_of(root: Path) -> Home:
    """The company's home; its settings are written when it is new."""
    root.mkdir(parents=True, exist_ok=True)
    settings = root / "finpipe.toml"
    if not settings.exists():
        settings.write_text(_SETTINGS)
    return Home(root)


def land(root: Path, delivery: Path) -> None:
    """Land one delivery; the clock stands still, so that a second try gives the same facts."""
    module = importlib.import_module("finpipe.ingest.land")
    module.__dict__["datetime"] = _StandingClock
    home = home_of(root)
    results = land_stage(home, _systems(home)["bank"], [delivery])
    if bad := [r for r in results if r.verdict == "refused"]:
        raise ValueError(f"{bad[0].path.name} was refused: {bad[0].reason}")


class _StandingClock:
    @staticmethod
    def now(_: Any) -> datetime:
        return datetime(2025, 7, 1, 6, 0, tzinfo=UTC)


def load(root: Path) -> list[str]:
    """Load what is landed; returns what was repaired, in words."""
    home = home_of(root)
    with raw_lock(home), ingest.open_raw(home) as (connection, repairs):
        report = ingest.load(home, connection, _systems(home))
        if report.problems:
            raise ValueError("; ".join(report.problems))
        return [*repairs, *report.repairs]


def conform(root: Path) -> list[str]:
    """Bring canonical up to raw, and account for every row; returns what was repaired, in words."""
    home = home_of(root)
    with write_lock(home), raw_lock(home), ingest.open_warehouse(home) as (connection, repairs):
        conform_stage(home, connection, _systems(home))
        ingest.refresh_row_accounts(home, connection)
        if breaks := ingest.row_account_breaks(connection):
            raise ValueError(f"rows are not accounted for: {breaks}")
        return repairs


def build(root: Path) -> None:
    """Build with one mart in dbt's place: the record of the build is real."""
    build_module.invoke = _one_mart
    _build(root)


def build_with_dbt(root: Path) -> None:
    """Build with dbt itself: of its models only one and its tests, then the mart."""
    real = build_module.invoke

    def some(command: list[str], **given: Any) -> bool:
        plain = command[: command.index("--select")] if "--select" in command else command
        return real([*plain, "--select", "stg_bank_transactions"], **given) and _one_mart(command, **given)

    build_module.invoke = some
    _build(root)


def _build(root: Path) -> None:
    home = home_of(root)
    with write_lock(home):
        report = build_module.build(home, AS_OF)
    if report.verdict != "passed":
        raise ValueError(f"the build {report.verdict}: {report.nodes}")


def _one_mart(_command: list[str], *, warehouse: Path, **_: Any) -> bool:
    with duckdb.connect(str(warehouse)) as connection:
        for statement in (_MART, "comment on table marts.cash is 'Cash by account and day'"):
            connection.execute(statement)
    return True


def publish(root: Path) -> None:
    """Publish what the last build made, if it passed."""
    home = home_of(root)
    with write_lock(home):
        publish_audited(home, lambda _: None)


def _systems(home: Home) -> dict[str, System]:
    return {name: system for name, system in find_systems(home).items() if name == "bank"}


def stopped(stage: Callable[..., Any], where: str, nth: int, is_after: bool, *args: Any) -> Any:
    """Run a stage and kill -9 the process at the nth call of a function, before or after it."""
    module, _, name = where.rpartition(".")
    owner = importlib.import_module(module)
    original, calls = getattr(owner, name), 0

    def stop(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = original(*given, **named)
        if calls == nth and is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, stop)
    return stage(*args)


def by_one_thread(stage: Callable[..., Any], *args: Any) -> Any:
    """Run a stage in which DuckDB reads and writes parquet itself, and not by threads whose turn is chance: then each
    call has the same number every time."""
    opened = duckdb.connect

    def connect(*given: Any, config: dict[str, Any] | None = None, **named: Any) -> duckdb.DuckDBPyConnection:
        return opened(*given, config={**(config or {}), "async_threads": 0}, **named)

    duckdb.connect = connect
    return stage(*args)


def slim(root: Path) -> None:
    """Drop canonical tables that this company leaves empty: publishing takes them one by one, all alike."""
    home = home_of(root)
    with write_lock(home), connect(home) as connection:
        for name in sorted(set(entities()) - {"bank_transactions", "control_totals", "currencies"}):
            connection.execute(f"drop table canonical.{name}")


# What is seen afterwards --------------------------------------------------------------------------------------------


def seen(root: Path) -> dict[str, Any]:
    """Rows and money as the working database has them: per load, and in canonical; and what is in quarantine."""
    home = home_of(root)
    loaded = {"loads": _loaded(home) if home.raw.exists() else []}
    if not home.warehouse.exists():
        return {**loaded, "accepted": [], "quarantined": 0}
    with write_lock(home), duckdb.connect(str(home.warehouse), config={"threads": 1}) as connection:
        there = _tables(connection)
        canonical = {
            "accepted": _ask(connection, _ACCEPTED) if "canonical.bank_transactions" in there else [],
            "quarantined": _ask(connection, _QUARANTINED)[0][0] if "quarantine.rows" in there else 0,
        }
    return {**loaded, **canonical}


def _loaded(home: Home) -> list[Any]:
    """Rows and money of each load, as LOAD's own database has them."""
    with raw_lock(home), duckdb.connect(str(home.raw), config={"threads": 1}) as connection:
        there = _tables(connection)
        asked = _LOADS if "raw_bank.statement_line" in there else _LOADS_ALONE
        return _ask(connection, asked) if "ledger.loads" in there else []


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    found = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return {name for (name,) in found}


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


#: Load, file, verdict, rows and money as the ledger says, rows and money as raw has them.
_LOADS = """
with said as (
    select load_seq, sum(measure_sum) as money from ledger.loaded_tables group by load_seq),
there as (
    select _load_seq as load_seq, count(*) as rows, sum(try_cast(amount as decimal(38, 4))) as money
    from raw_bank.statement_line group by 1)
select coalesce(l.load_seq, t.load_seq), l.original_name, l.verdict, l.rows, coalesce(s.money, 0),
    coalesce(t.rows, 0), coalesce(t.money, 0)
from ledger.loads as l full join there as t using (load_seq) left join said as s on s.load_seq = l.load_seq
order by 1"""
_LOADS_ALONE = "select load_seq from ledger.loads"
_QUARANTINED = "select count(*) from quarantine.rows"
_ACCEPTED = """
select currency, count(*), sum(amount) from canonical.bank_transactions
where not is_deleted group by all order by all"""


def seen_published(root: Path) -> dict[str, Any] | None:
    """What readers have: the figures of the publication in force, and whether it is whole; none before the first."""
    home = home_of(root)
    folder = current(home)
    if folder is None:
        return None
    torn = [
        name
        for name, digest in manifest_of(folder)["files"].items()
        if not (folder / name).exists() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
    cash = query(home, "select currency, sum(lines), sum(amount) from cash group by all order by all").rows
    return {"torn": torn, "accepted": query(home, _ACCEPTED).rows, "cash": cash}


def fingerprints(root: Path) -> dict[str, str]:
    """What each finished stage left, as one text that is equal for equal content and for nothing else."""
    return {stage: fingerprint(root, stage) for stage in STAGES}


def fingerprint(root: Path, stage: str) -> str:
    """What one finished stage left."""
    home = home_of(root)
    if stage == "land":
        facts: Any = [(m.order, m.original_name, m.sha256, m.received_at) for m in manifests(home)]
    elif stage == "publish":
        said = manifest_of(home.published / "current")
        facts = (said["digest"], sorted(said["files"]), left_over(home))
    else:
        database = home.raw if stage == "load" else home.warehouse
        with write_lock(home), raw_lock(home), connect(home, database) as connection:
            facts = _stage_facts(connection, stage), left_over(home)
    return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _stage_facts(connection: duckdb.DuckDBPyConnection, stage: str) -> Any:
    if stage == "load":
        chain = connection.execute("select load_seq, hash from ledger.loads order by 1").fetchall()
        return chain, whole(digest_tables(connection, ["raw_bank"]))
    if stage == "conform":
        accounts = connection.execute("select * from ledger.row_accounts order by all").fetchall()
        return accounts, whole(digest_tables(connection, ["canonical", "quarantine", "matching"]))
    verdict = "select verdict, as_of, load_seq, load_hash from ledger.builds order by build desc limit 1"
    return connection.execute(verdict).fetchall(), whole(digest_tables(connection, ["marts", "staging"]))


def left_over(home: Home) -> list[str]:
    """Files and folders that a stopped process left and nobody swept."""
    known = {"finpipe.toml", "landing", "published", "tmp", "witness.json", "write.lock", "raw.lock", "dbt"}
    known |= {"raw.duckdb", "warehouse.duckdb"}
    aside = tuple(f"{name}.{what}" for name in ("raw", "warehouse") for what in ("corrupt-", "duckdb.wal"))
    strange = [p for p in home.root.iterdir() if p.name not in known and not p.name.startswith(aside)]
    for folder, names in ((home.landing / ".tmp", "*"), (home.scratch, "*"), (home.published, ".*")):
        # Spilled is ours, while a connection is open.
        strange += [p for p in folder.glob(names) if not p.name.startswith("spill-")]
    return sorted(str(p.relative_to(home.root)) for p in strange)
