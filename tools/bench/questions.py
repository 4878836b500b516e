"""What a person asks of the published snapshot: a record's chain, and what there is of one customer.

Belongs here: which questions, of which records, and how long each takes with its opening of the snapshot.
Wall and CPU seconds of each question in a warm process; one question of each kind goes before, unmeasured.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from finpipe.publish import query
from finpipe.publish.read import reading
from finpipe.publish.trace import trace
from finpipe.settings import Home
from finpipe.warehouse import literal

#: Where one customer is looked up, one mart a question.
_OF_CUSTOMER = ("bookings", "billings", "collections", "ar_open_items", "mrr_movements", "quote_to_cash")
Asked = dict[str, list[tuple[float, float]]]


def ask(root: str, count: str) -> dict[str, list[list[float]]]:
    """Ask ``count`` questions of each kind; by kind, wall and CPU seconds of each."""
    home, number = Home(Path(root)), int(count)
    with reading(home) as connection:
        records, customers = _records(connection, number), _customers(connection, number)
        payouts = _records(connection, number, "entity = 'payouts'")
    pairs = list(zip(itertools.cycle(_OF_CUSTOMER), customers, strict=False))
    trace(home, records[0])
    return {
        "trace": [_timed(lambda r=r: trace(home, r)) for r in records],  # type: ignore[misc]
        "trace of a payout": [_timed(lambda r=r: trace(home, r)) for r in payouts],  # type: ignore[misc]
        "one customer": [_timed(lambda t=t, c=c: _customer(home, t, c)) for t, c in pairs],  # type: ignore[misc]
    }


def _timed(question: Callable[[], object]) -> list[float]:
    wall, cpu = time.perf_counter(), time.process_time()
    question()
    return [time.perf_counter() - wall, time.process_time() - cpu]


def _records(connection: duckdb.DuckDBPyConnection, count: int, which: str = "true") -> list[str]:
    """Keys of records, chosen as by chance, and the same ones of the same snapshot."""
    return [
        key
        for (key,) in connection.execute(
            f"select record_id from main.records where {which} order by md5(record_id) limit {count}"
        ).fetchall()
    ]


def _customers(connection: duckdb.DuckDBPyConnection, count: int) -> list[str]:
    return [
        key
        for (key,) in connection.execute(
            "select customer_id from (select distinct customer_id from main.customers) "
            f"order by md5(customer_id) limit {count}"
        ).fetchall()
    ]


def _customer(home: Home, mart: str, key: str) -> int:
    """Every row of a mart that speaks of one customer."""
    return len(query(home, f"select * from main.{mart} where customer_id = {literal(key)}").rows)


def tick(root: str, count: str) -> dict[str, list[list[float]]]:
    """Evaluate every sensor ``count`` times over a home in which nothing is new; wall and CPU seconds of each tick.

    As the code server does it: definitions are loaded once, and their cost is told as the one tick of ``loading``.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    import dagster as dg  # noqa: PLC0415 - what it costs is measured

    from finpipe.orchestration.defs import build_defs  # noqa: PLC0415
    from finpipe.orchestration.run import project_instance  # noqa: PLC0415

    sensors = build_defs(Home(Path(root))).get_repository_def().sensor_defs
    told = {"loading": [[time.perf_counter() - wall, time.process_time() - cpu]]}
    with project_instance() as instance:
        for sensor in sensors:
            cursor = None
            for _ in range(int(count)):
                wall, cpu = time.perf_counter(), time.process_time()
                with dg.build_sensor_context(instance, cursor=cursor, sensor_name=sensor.name) as context:
                    ticked = sensor.evaluate_tick(context)
                if ticked.run_requests:
                    raise RuntimeError(f"sensor {sensor.name} asks for a run though nothing is new")
                cursor = ticked.cursor
                told.setdefault(sensor.name, []).append([time.perf_counter() - wall, time.process_time() - cpu])
    return told
