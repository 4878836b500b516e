"""One measured process: ``python -m tools.bench.worker KIND …``.

Belongs here: what is measured.  Nothing is imported that the kind does not need: start-up counts.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """Run one kind; the last line printed is its facts as JSON."""
    kind, *given = sys.argv[1:]
    kinds: dict[str, Callable[..., Any]] = {
        "limit": limit,
        "hand": by_hand,
        "load": load,
        "stages": stages,
        "ask": ask,
        "tick": tick,
        "match": match,
        "profile": profile,
        "reconcile": reconcile,
    }
    sys.stdout.write("\n" + json.dumps(kinds[kind](*given)) + "\n")


def _statements(place: str, warehouse: str, config: str) -> dict[str, float]:
    """Run a script of phases; CPU seconds of each."""
    import duckdb  # noqa: PLC0415

    spent = {}
    phases = json.loads(Path(place).read_text(encoding="utf-8"))
    with duckdb.connect(warehouse, config=json.loads(config)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for phase, statements in phases.items():
            before = time.process_time()
            for sql in statements:
                try:
                    connection.execute(sql).fetchall()
                except duckdb.Error as problem:
                    raise RuntimeError(f"{phase}: {sql[:200]}") from problem
            if phase in ("read", "models"):
                connection.execute("checkpoint")
            spent[phase] = time.process_time() - before
    return spent


def limit(place: str, warehouse: str, config: str) -> dict[str, float]:
    """DuckDB reads every landed file natively, as it is."""
    return _statements(place, warehouse, config)


def by_hand(place: str, warehouse: str, config: str) -> dict[str, float]:
    """The whole line as hand-written SQL."""
    return _statements(place, warehouse, config)


def load(root: str) -> dict[str, float]:
    """LOAD alone, over what is landed."""
    from finpipe import ingest  # noqa: PLC0415
    from finpipe.settings import Home  # noqa: PLC0415
    from finpipe.systems import find_systems  # noqa: PLC0415

    home = Home(Path(root))
    with ingest.open_raw(home) as (connection, _):
        report = ingest.load(home, connection, find_systems(home))
    return {"rows": report.rows, "refused": len(report.refused)}


def stages(root: str, as_of: str) -> dict[str, float]:
    """The stages of a run one after another without Dagster; CPU seconds of each, imports where they are first paid."""
    from datetime import date  # noqa: PLC0415

    clock = [time.process_time()]
    spent = {"start": clock[0]}

    def done(stage: str) -> None:
        clock.append(time.process_time())
        spent[stage] = clock[-1] - clock[-2]

    load(root)
    done("load")
    from finpipe import ingest  # noqa: PLC0415
    from finpipe.build import build, latest_build  # noqa: PLC0415
    from finpipe.conform import conform  # noqa: PLC0415
    from finpipe.orchestration.stamps import stamps_of  # noqa: PLC0415
    from finpipe.publish import publish  # noqa: PLC0415
    from finpipe.settings import Home  # noqa: PLC0415
    from finpipe.systems import find_systems  # noqa: PLC0415
    from finpipe.warehouse import connect  # noqa: PLC0415

    home = Home(Path(root))
    with ingest.open_warehouse(home) as (connection, _):
        conform(home, connection, find_systems(home))
        ingest.refresh_row_accounts(home, connection)
        done("conform")
    first: list[float] = []
    report = build(home, date.fromisoformat(as_of), lambda *_: first.append(time.process_time()) if not first else None)
    done("build")
    spent["build: until the first model"] = first[0] - clock[-2]
    spent["build: models, seconds by two threads"] = _seconds(report.nodes.values(), "model")
    spent["build: tests, seconds by two threads"] = _seconds(report.nodes.values(), "test")
    with connect(home) as connection:
        built = latest_build(connection)
        if built is None:
            raise RuntimeError("there is no build")
        publish(home, connection, stamps_of(connection, built))
    done("publish")
    return spent


def ask(root: str, count: str) -> Any:
    """Questions to the snapshot in force."""
    from tools.bench import questions  # noqa: PLC0415

    return questions.ask(root, count)


def tick(root: str, count: str) -> Any:
    """Ticks of every sensor."""
    from tools.bench import questions  # noqa: PLC0415

    return questions.tick(root, count)


def match(count: str) -> Any:
    """Customers of two systems matched, and by exact keys; likeness of names alone takes minutes and is left out."""
    from tools.match.measure import measure  # noqa: PLC0415

    found = measure(int(count), 1, with_names=False)
    return {
        f"{q.way}, {int(count):,} records in each of two systems": {
            "joined": q.joined,
            "precision": q.precision,
            "recall": q.recall,
            "f1": q.f1,
            "seconds": q.seconds,
        }
        for q in (found.matching, found.exact)
    }


def profile(root: str, files: str, as_of: str) -> Any:
    """One profile for each stage."""
    from tools.bench import profiles  # noqa: PLC0415

    return profiles.told(profiles.profile_stages(root, files, as_of))


def reconcile(root: str, way: str, work: str) -> Any:
    """Every reconciliation by the engine or by hand."""
    from tools.bench import reconciliations  # noqa: PLC0415

    return reconciliations.measure(root, way, work)


def _seconds(nodes: object, kind: str) -> float:
    return sum(n.seconds for n in nodes if n.unique_id.startswith(kind))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
