"""The policy in force as tables of schema ``reference``, for models to read.

Belongs here: rows of a policy.  Does not belong here: what a policy may say (``finpipe.policy``).
"""

from collections.abc import Iterable

import duckdb

from finpipe.policy import SEVERITIES, Policy
from finpipe.warehouse import literal

_TABLES = {
    "policy": "version varchar, owner varchar, hours_per_day integer, opens_at time",
    "policy_owners": "owner varchar, people varchar",
    "policy_codes": "code varchar, severity varchar, owner varchar, sla_hours integer, meaning varchar",
    "policy_reconciliations": "reconciliation_id varchar, leg varchar, left_name varchar, right_name varchar, "
    "measure varchar, tolerance varchar, owner varchar",
    "policy_thresholds": "currency varchar, second_person_from decimal(18, 4), material_from decimal(18, 4)",
    "policy_severities": "severity varchar, needs_second_person boolean",
    "policy_holidays": "date_on date",
}


def write_policy(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Make the tables anew."""
    rows = _rows(policy)
    for table, columns in _TABLES.items():
        connection.execute(f"create or replace table reference.{table} ({columns})")
        listed = ", ".join(f"({', '.join(literal(v) for v in row)})" for row in rows[table])
        if listed:
            connection.execute(f"insert into reference.{table} values {listed}")


def _rows(policy: Policy) -> dict[str, Iterable[tuple[object, ...]]]:
    currencies = sorted({*policy.second_person_from, *policy.material_from})
    second, material = policy.second_person_from, policy.material_from
    return {
        "policy": [(policy.version, policy.owner, policy.hours, policy.opens)],
        "policy_owners": [(owner, ", ".join(people)) for owner, people in policy.owners.items()],
        "policy_codes": [
            (c["code"], c["severity"], c["owner"], int(c["sla_hours"]), c["meaning"]) for c in policy.codes
        ],
        "policy_reconciliations": [
            tuple(
                r[k] for k in ("reconciliation_id", "leg", "left_name", "right_name", "measure", "tolerance", "owner")
            )
            for r in policy.reconciliations
        ],
        "policy_thresholds": [
            (c, str(second.get(c, second["other"])), str(material.get(c, material["other"]))) for c in currencies
        ],
        "policy_severities": [(s, 1 if s in policy.second_person_severities else 0) for s in SEVERITIES],
        "policy_holidays": [(day,) for day in policy.holidays],
    }
