"""What the reconciliations cost, beside the same joins written by hand over the same tables.

Belongs here: both ways leg by leg in one process each, and whether they say the same.  The hand-written file holds the
legs that an analyst writes as one statement; of the others, whose work is to find what should be (schedules, prices,
balances), finpipe's own two sides are joined by hand on what each calls the other.
Does not belong here: what finpipe adds to a joined pair (claims, causes, sentences): that is what is compared.
"""

import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import duckdb

from finpipe.build import kept
from finpipe.settings import Config, Home
from finpipe.warehouse import literal

#: The statements by hand, each below a line that names its leg.
BY_HAND = Path(__file__).with_name("by_hand_reconciliations.sql")
_NAMED = re.compile(r"^-- name: (\w+).*$", re.MULTILINE)
_PLACES = "warehouse.intermediate,warehouse.staging,warehouse.marts,warehouse.reconciliation"
#: Where the sides of a leg end and the engine begins, in its compiled text.
_ENGINE = re.compile(r"^(?:left_references|matches) as \($", re.MULTILINE)
_JOIN = """
said_left as (select record_id, unnest(ids || numbers) as word from left_records),
said_right as (select record_id, unnest(ids || numbers) as word from right_records),
pairs as (
    select distinct l.record_id as l_id, r.record_id as r_id from said_left as l join said_right as r using (word)
)
select l.record_id as left_id, r.record_id as right_id, l.amount as left_amount, r.amount as right_amount
from left_records as l full join pairs on l.record_id = pairs.l_id
full join right_records as r on pairs.r_id = r.record_id
where pairs.l_id is not null or l.is_expected or r.is_expected
"""


class Found(NamedTuple):
    """One leg one way: CPU seconds, pairs, records alone on the left and on the right, pairs whose amounts differ."""

    seconds: float
    pairs: int
    left_alone: int
    right_alone: int
    different: int


class Leg(NamedTuple):
    """One leg both ways; ``is_written`` where the whole statement is by hand."""

    name: str
    is_written: bool
    engine: Found
    hand: Found

    @property
    def agrees(self) -> bool:
        """Both ways find the same pairs, records alone and differences, counted."""
        return self.engine[1:] == self.hand[1:]


def engine(home: Home) -> dict[str, str]:
    """By leg: finpipe's compiled statement, of the last build of a home."""
    compiled = home.root / "dbt" / "target" / "compiled" / "finpipe"
    models = [m for m in kept().in_order if Path(m.path).name.startswith("rec_")]
    return {Path(m.path).stem: (compiled / m.path).read_text(encoding="utf-8").strip().rstrip(";") for m in models}


def written() -> dict[str, str]:
    """By leg: the statement in the file by hand."""
    _, *rest = _NAMED.split(BY_HAND.read_text(encoding="utf-8"))
    return {name: sql.strip().rstrip(";") for name, sql in zip(rest[::2], rest[1::2], strict=True)}


def by_hand(home: Home) -> dict[str, str]:
    """By leg: the statement by hand, else finpipe's two sides joined by hand."""
    joined = {name: _ENGINE.split(sql, maxsplit=1)[0] + _JOIN for name, sql in engine(home).items()}
    return joined | written()


def measure(root: str, way: str, work: str) -> dict[str, list[float]]:
    """Make every leg one way, from the working database of a home, in one process under finpipe's own limits."""
    home = Home(Path(root))
    statements = engine(home) if way == "engine" else by_hand(home)
    scratch = Path(work) / f"{way}.duckdb"
    scratch.unlink(missing_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": Config().memory_limit,
        "threads": Config().threads,
        "preserve_insertion_order": False,
        "temp_directory": str(Path(work) / "spill"),
    }
    try:
        with duckdb.connect(str(scratch), config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"attach {literal(home.warehouse)} as warehouse (read_only)")
            connection.execute(f"set search_path = '{way}.main,{_PLACES}'")
            return {name: list(_made(connection, way, sql)) for name, sql in statements.items()}
    finally:
        scratch.unlink(missing_ok=True)


def _made(connection: duckdb.DuckDBPyConnection, way: str, sql: str) -> Found:
    table = f"{way}.main.made"
    before = time.process_time()
    connection.execute(f"create or replace table {table} as {sql}").fetchall()
    seconds = time.process_time() - before
    # A pair in two currencies is two lines of finpipe's.
    chosen = "where line_kind = 'pair'" if way == "engine" else ""
    lines = f"(select distinct left_id, right_id from {table} {chosen})"
    differ = "difference_amount <> 0 and line_kind = 'pair'" if way == "engine" else "left_amount <> right_amount"
    counted = connection.execute(
        f"""select count(*) filter (left_id is not null and right_id is not null),
            count(*) filter (right_id is null), count(*) filter (left_id is null),
            (select count(distinct (left_id, right_id)) from {table}
                where {differ} and left_id is not null and right_id is not null)
        from {lines}"""
    ).fetchall()[0]
    return Found(seconds, *counted)


def compared(engine_made: dict[str, list[float]], by_hand_made: dict[str, list[float]]) -> list[Leg]:
    """Both ways, leg by leg, in the order in which they are built."""
    whole = written()
    return [Leg(name, name in whole, _found(made), _found(by_hand_made[name])) for name, made in engine_made.items()]


def _found(made: list[float]) -> Found:
    return Found(made[0], *(int(count) for count in made[1:]))


def told(legs: Iterable[Leg]) -> str:
    """As a table: each leg, and the sums of those written whole by hand and of all."""
    lines = ["| leg | engine, CPU s | by hand, CPU s | ratio | pairs | agree |", "|---|---:|---:|---:|---:|---|"]
    legs = sorted(legs, key=lambda leg: -leg.engine.seconds)
    for leg in legs:
        name = leg.name if leg.is_written else f"{leg.name} (sides of finpipe's)"
        agree = "yes" if leg.agrees else f"{leg.engine[1:]} against {leg.hand[1:]}"
        lines.append(_line(name, leg.engine.seconds, leg.hand.seconds, f"{leg.engine.pairs:,}", agree))
    for name, some in (("**written by hand**", [leg for leg in legs if leg.is_written]), ("**all**", legs)):
        sums = (sum(leg.engine.seconds for leg in some), sum(leg.hand.seconds for leg in some))
        lines.append(_line(name, *sums, "", f"{sum(leg.agrees for leg in some)} of {len(some)}"))
    return "\n".join(lines) + "\n"


def _line(name: str, engine_seconds: float, hand_seconds: float, pairs: str, agree: str) -> str:
    ratio = engine_seconds / hand_seconds if hand_seconds else 0
    return f"| {name} | {engine_seconds:.2f} | {hand_seconds:.2f} | {ratio:.1f} | {pairs} | {agree} |"
