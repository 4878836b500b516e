"""The models of the queue over exceptions made by hand: their SQL as dbt compiles it, in a database of their own.

Each day is a build: what is found, what was decided, what earlier publications landed.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from finpipe.conform.policy import write_policy
from finpipe.policy import Policy

#: Models in the order in which each needs the one before.
MODELS = (
    "int_business_days__numbered",
    "int_exceptions__witnessed",
    "int_exceptions__decided",
    "exceptions",
    "exception_history",
    "exception_groups",
)
_FOUND = """
create table intermediate.int_exceptions__found (exception_id varchar, origin varchar, leg varchar, code varchar,
    cause varchar, owner varchar, sla_hours integer, left_key varchar, right_key varchar, legal_entity_id varchar,
    customer_id varchar, currency varchar, amount decimal(18, 4), period varchar, happened_on date, sentence varchar,
    severity varchar, needs_second_person boolean);
create table staging.stg_sightings (exception_id varchar, event varchar, spell bigint, as_of_on date, code varchar,
    leg varchar, owner varchar, currency varchar, amount decimal(18, 4), sentence varchar);
create table staging.stg_decisions (decision_id varchar, kind varchar, subject varchar, decided_by varchar,
    decided_at timestamptz, as_of_on date, reason varchar, payload varchar)"""

_SAID = {
    "origin": "R05",
    "leg": "billing-erp",
    "code": "INV-TAX",
    "cause": "tax differs",
    "owner": "ar",
    "sla_hours": 16,
    "currency": "USD",
    "amount": 100,
    "sentence": "said",
    "severity": "material",
    "needs_second_person": False,
}


class Queue:
    """One company's queue, day by day."""

    def __init__(self, folder: Path, compiled: dict[str, str], policy: Policy) -> None:
        self.compiled, self.decided = compiled, 0
        self.connection = duckdb.connect(str(folder / "nothing.duckdb"))
        self.connection.execute("set TimeZone = 'UTC'")
        for schema in ("reference", "staging", "intermediate", "marts"):
            self.connection.execute(f"create schema {schema}")
        self.connection.execute(_FOUND)
        write_policy(self.connection, policy)
        self.day = date(2025, 1, 1)

    def build(self, day: str, *found: str, **facts: Any) -> list[dict[str, Any]]:
        """Land what the last build was the first to see, then build as of ``day`` with these exceptions."""
        if date.fromisoformat(day) >= self.day and "exception_history" in self._tables():
            self.connection.execute(
                "insert into staging.stg_sightings by name select exception_id, event, spell, as_of_on, code, leg, "
                "owner, currency, amount, sentence from marts.exception_history where not is_landed"
            )
        self.day = date.fromisoformat(day)
        self.connection.execute("delete from intermediate.int_exceptions__found")
        said = _SAID | facts
        for exception_id in found:
            values = {"exception_id": exception_id, **said}
            listed = ", ".join(f"? as {name}" for name in values)
            self.connection.execute(
                f"insert into intermediate.int_exceptions__found by name select {listed}", list(values.values())
            )
        return self.again()

    def again(self) -> list[dict[str, Any]]:
        """Build the same day once more: what is found stays, what was decided counts."""
        for name in MODELS:
            schema = "intermediate" if name.startswith("int_") else "marts"
            sql = self.compiled[name].replace("'2000-01-01' as date)", f"'{self.day}' as date)")
            self.connection.execute(f"create or replace table {schema}.{name} as {sql}")
        return self.rows("from marts.exceptions order by exception_id")

    def decide(self, kind: str, subject: str, by: str = "ann", **payload: Any) -> str:
        """Land a decision that was taken on the figures of the last build."""
        self.decided += 1
        name = f"decisions:{self.decided}"
        self.connection.execute(
            "insert into staging.stg_decisions "
            "values (?, ?, ?, ?, timestamptz '2025-01-01' + to_minutes(?), ?, 'because', ?)",
            [name, kind, subject, by, self.decided, self.day, json.dumps({"spell": 1, **payload}, default=str)],
        )
        return name

    def one(self, exception_id: str) -> dict[str, Any]:
        (row,) = self.rows(f"from marts.exceptions where exception_id = '{exception_id}'")
        return row

    def verdicts(self) -> dict[str, tuple[str, str | None]]:
        """By decision: its verdict and why it is not in force."""
        rows = self.rows("from marts.exception_history where event not in ('seen', 'gone')")
        return {r["event_id"]: (r["verdict"], r["why"]) for r in rows}

    def events(self, exception_id: str) -> list[tuple[str, int, str]]:
        """What the data did: event, spell and day."""
        rows = self.rows(
            f"from marts.exception_history where exception_id = '{exception_id}' and event in ('seen', 'gone') "
            "order by spell, event desc"
        )
        return [(r["event"], r["spell"], r["as_of_on"].isoformat()) for r in rows]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        answer = self.connection.execute(sql)
        names = [c[0] for c in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _tables(self) -> set[str]:
        return {row["table_name"] for row in self.rows("select table_name from duckdb_tables()")}
