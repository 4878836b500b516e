"""Readers hammer the snapshot while it is published anew: no error, and never two generations in one answer.

Each generation fills several tables with its own number, so an answer made of two shows. Readers are processes of
their own and come by every documented way: ``finpipe query``'s, a DuckDB client at ``published/current``, parquet of a
table through ``current``, parquet of all tables below the folder that ``current`` named, and one that stays open.
"""

import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finpipe.publish import Stamps, current, holding, publications, publish
from finpipe.publish import read as stage
from finpipe.settings import Config, Home
from finpipe.warehouse import connect
from tests.prove.verdicts import Proof

TABLES = ("marts.ar_aging", "marts.trial_balance", "reconciliation.rec_billing__ledger")
PUBLISHED = ("main.ar_aging", "main.trial_balance", "main.rec_billing__ledger")
ROWS = 3000
READERS = 2
#: Readers pause so long at most, or the writer would hardly get a turn on a small machine.
PAUSE = 0.1
#: A reader looks again when retention took the folder it was told of before it came: documented, and bounded.
MOST_LOOKS = 20
NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)


def generation(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Fill every table with one generation's number."""
    for table in TABLES:
        connection.execute(
            f"create or replace table {table} as select i as line, {number} as generation, 'x' || i as padding "
            f"from range({ROWS}) t (i)"
        )


def seen(connection: duckdb.DuckDBPyConnection, relations: tuple[str, ...]) -> set[int]:
    """Generations in one reader's answers; each table is asked by itself, as people do."""
    found: set[int] = set()
    for relation in relations:
        low, high, rows = connection.execute(
            f"select min(generation), max(generation), count(*) from {relation}"
        ).fetchall()[0]
        assert rows == ROWS, f"{rows} rows of {relation}"
        found |= {low, high}
    return found


def by_finpipe(home: Home) -> set[int]:
    """As ``finpipe query`` reads; the manifest must be of the same publication."""
    with holding(home) as held:
        stamped = held.connection.execute("select build from main.publication").fetchall()[0][0]
        return {held.manifest["build"], stamped, *seen(held.connection, PUBLISHED)}


def by_client(home: Home) -> set[int]:
    """A DuckDB client that opens ``published/current/finance.duckdb``."""
    path = home.published / "current" / "finance.duckdb"
    with duckdb.connect(str(path), read_only=True, config={"threads": 1}) as connection:
        return seen(connection, PUBLISHED)


def by_one_parquet(home: Home) -> set[int]:
    """One table's parquet through ``published/current``."""
    path = home.published / "current" / "parquet" / "ar_aging.parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        return seen(connection, (f"read_parquet('{path}')",))


def by_all_parquet(home: Home) -> set[int]:
    """All tables' parquet below the folder that ``current`` names now."""
    folder = Path(os.path.realpath(home.published / "current")) / "parquet"
    with duckdb.connect(config={"threads": 1}) as connection:
        return seen(connection, tuple(f"read_parquet('{folder}/{name.split('.')[1]}.parquet')" for name in PUBLISHED))


Way = Callable[[Home], set[int]]
WAYS: tuple[Way, ...] = (by_finpipe, by_client, by_one_parquet, by_all_parquet)


def hammer(home: Home, seed: int, target: int, said: "Queue[dict[str, Any]]", ended: Any) -> None:
    """A reader process: by all ways in turn of chance, until enough was read and the writer has ended."""
    chance, counts, problems, met = random.Random(seed), Counter[str](), list[str](), set[int]()
    while (counts["reads"] < target or not ended.is_set()) and len(problems) < 5:
        counts["reads"] += 1
        time.sleep(chance.random() * PAUSE)
        way = chance.choice(WAYS)
        found = attempt(home, way, counts, problems)
        if len(found) > 1:
            problems.append(f"{way.__name__}: mixed generations {sorted(found)}")
        met |= found
    said.put({"counts": dict(counts), "problems": problems, "generations": len(met)})


def attempt(home: Home, way: Way, counts: Counter[str], problems: list[str]) -> set[int]:
    """One read; a foreign reader whose folder was taken before it came looks again, as documented."""
    for _ in range(MOST_LOOKS):
        told = (home.published / "current").readlink()
        try:
            return way(home)
        except (duckdb.IOException, FileNotFoundError) as problem:
            if way is by_finpipe or (home.published / "current").readlink() == told:
                problems.append(f"{way.__name__}: {problem}"[:300])
                return set()
            counts["looked_again"] += 1
        except Exception as problem:  # noqa: BLE001 - whatever it is, it must not have happened
            problems.append(f"{way.__name__}: {type(problem).__name__} {problem}"[:300])
            return set()
    problems.append(f"{way.__name__}: found nothing {MOST_LOOKS} times")
    return set()


def stay(home: Home, reads: int, said: "Queue[dict[str, Any]]", ended: Any) -> None:
    """A reader process that opens a publication and keeps asking it while others are put in force and it is removed."""
    counts, problems, met = Counter[str](), list[str](), set[int]()
    while not ended.is_set() and len(problems) < 5:
        try:
            stay_once(home, reads, counts, problems, met)
        except Exception as problem:  # noqa: BLE001 - a reader that cannot open says so
            problems.append(f"open across swaps: {type(problem).__name__} {problem}"[:300])
    said.put({"counts": dict(counts), "problems": problems, "generations": len(met)})


def stay_once(home: Home, reads: int, counts: Counter[str], problems: list[str], met: set[int]) -> None:
    """Open what is in force and ask it again and again."""
    with holding(home) as held:
        opened = held.manifest["build"]
        for _ in range(reads):
            counts["reads"] += 1
            if (found := seen(held.connection, PUBLISHED)) != {opened}:
                problems.append(f"open across swaps: {sorted(found)}, opened at {opened}")
            time.sleep(0.02)
        counts["long_open"] += 1
        counts["outlived"] += not held.folder.exists()
        met.add(opened)


@pytest.mark.prove_publish
def test_readers_meet_one_whole_generation_each_time(proof: Proof, home: Home) -> None:
    swaps, reads = proof.size(slice=12, full=1000), proof.size(slice=40, full=10_000)
    home.__dict__["config"] = Config(keep_publications=4, threads=1)
    context = multiprocessing.get_context("fork")
    said, ended = context.Queue(), context.Event()
    with connect(home) as connection:
        generation(connection, 1)
        publish(home, connection, Stamps("2025-06-30", 1, "h", "v", 1), now=NOW)
    seeds = [proof.random.randrange(2**32) for _ in range(READERS)]
    readers = [
        context.Process(target=hammer, args=(home, seed, -(-reads // READERS), said, ended), daemon=True)
        for seed in seeds
    ]
    readers.append(context.Process(target=stay, args=(home, 40, said, ended), daemon=True))
    for reader in readers:
        reader.start()
    try:
        with connect(home) as connection:
            for number in range(2, swaps + 2):
                generation(connection, number)
                publish(home, connection, Stamps("2025-06-30", number, "h", "v", number), now=NOW)
        ended.set()
        answers = [said.get(timeout=3600 if proof.is_full else 120) for _ in readers]
    finally:
        ended.set()
        for reader in readers:
            reader.join(5)
            reader.kill()
    for answer in answers:
        for problem in answer["problems"]:
            proof.deviated(problem)
        proof.trials += answer["counts"]["reads"]
        for name in ("looked_again", "long_open", "outlived"):
            proof.figures[name] = int(proof.figures.get(name, 0)) + answer["counts"].get(name, 0)
    proof.figures["swaps"] = swaps
    proof.figures["generations_seen_by_a_reader"] = max(answer["generations"] for answer in answers)
    if len(publications(home)) != 4 or [p for p in home.published.iterdir() if p.name.startswith(".")]:
        proof.deviated(f"left: {sorted(p.name for p in home.published.iterdir())}")
    folder = current(home)
    if folder is None or folder.name != str(swaps + 1):
        proof.deviated(f"in force is {folder}, not {swaps + 1}")
    proof.conclude()


def test_a_reader_that_comes_too_late_looks_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention takes the folder between the look and the opening."""
    home.__dict__["config"] = Config(keep_publications=2)
    with connect(home) as connection:
        for number in (1, 2, 3):
            generation(connection, number)
            publish(home, connection, Stamps("2025-06-30", number, "h", "v", number), now=NOW)
    stale = [home.published / "1"]  # what it saw before two more were published
    monkeypatch.setattr(stage, "current", lambda home: stale.pop() if stale else current(home))
    began = time.monotonic()
    assert by_finpipe(home) == {3}
    assert time.monotonic() - began < 5
