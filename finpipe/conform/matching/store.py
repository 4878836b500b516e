"""The pairs as a table that models read: ``matching.customer_pairs``.

Belongs here: reading customers and decisions, writing pairs, and when that is needed.
Does not belong here: any judgement.
"""

import hashlib
import json
from pathlib import Path

import duckdb
import polars as pl

from finpipe.conform.given import given
from finpipe.conform.matching.match import match
from finpipe.conform.matching.records import Decided, Pair, Record

#: Name of the table, and of its line in ``ledger.conformed``.
NAME = "matching.customer_pairs"
#: Its columns: name, type, meaning.
COLUMNS = (
    ("left_id", "varchar", "Customer record; it sorts before the other."),
    ("right_id", "varchar", "Customer record."),
    ("verdict", "varchar", "joined, suggested, parted, or refused (a decision that cannot hold)."),
    ("rule", "varchar", "Rule that joined or suggested, or decision."),
    ("score", "integer", "How alike the names are, of 100."),
    ("reason", "varchar", "Evidence, contradictions and differences, in words."),
    ("decision_id", "varchar", "Decision that stands."),
    ("is_contradicted", "boolean", "Parted by a person, and still one customer through other links."),
)
TABLE = f"create table if not exists {NAME} ({', '.join(f'{name} {kind}' for name, kind, _ in COLUMNS)})"
_READ = ("customers", "decisions")
_FACTS = ("customer_id", "system", "name", "country", "city", "postal_code", "tax_id", "email", "website")
_STATED = "crm_customer_id, billing_customer_id, erp_customer_id, merged_into_customer_id"


def bring_up(connection: duckdb.DuckDBPyConnection) -> bool:
    """Match customers again if they, a decision or the rules changed since the last time; says whether it did."""
    now = _inputs(connection)
    if connection.execute("select 1 from ledger.conformed where entity = ? and inputs = ?", [NAME, now]).fetchall():
        return False
    _write(connection, match(_records(connection), _decided(connection)))
    connection.execute("insert or replace into ledger.conformed values (?, ?)", [NAME, now])
    return True


def _inputs(connection: duckdb.DuckDBPyConnection) -> str:
    """Fingerprint of what pairs follow from: what customers and decisions follow from, and these rules."""
    listed = ", ".join(f"'{name}'" for name in _READ)
    facts = connection.execute(
        f"select entity, inputs from ledger.conformed where entity in ({listed}) order by entity"
    ).fetchall()
    rules = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(repr((facts, rules)).encode()).hexdigest()


def _records(connection: duckdb.DuckDBPyConnection) -> list[Record]:
    """Customer records in force, and those merged away: they are aliases of their survivor."""
    rows = connection.execute(
        f"select {', '.join(_FACTS)}, {_STATED} from canonical.customers "
        "where not is_deleted or merged_into_customer_id is not null order by customer_id"
    ).fetchall()
    return [Record(**dict(zip(_FACTS, row, strict=False)), names=tuple(k for k in row[-4:] if k)) for row in rows]


def _decided(connection: duckdb.DuckDBPyConnection) -> list[Decided]:
    """What people said of pairs, oldest first: of two about one pair the later stands."""
    rows = connection.execute(
        "select decision_id, subject, payload from canonical.decisions "
        "where kind = 'customer_match' and not is_deleted "
        "order by decided_at, decision_id"
    ).fetchall()
    return [_read(*row) for row in rows]


def _read(decision_id: str, subject: str, payload: str | None) -> Decided:
    """A decision; one that names no two records stands against its own subject, so that it is told."""
    named = subject.split()
    left, right = named if len(named) == 2 else (subject, subject)
    try:
        verdict = str(json.loads(payload or "")["verdict"])
    except (ValueError, KeyError, TypeError):
        verdict = ""
    return Decided(decision_id, left, right, verdict)


def _write(connection: duckdb.DuckDBPyConnection, pairs: list[Pair]) -> None:
    connection.execute(f"delete from {NAME}")
    columns = {name: [getattr(p, name) for p in pairs] for name, _, _ in COLUMNS}
    with given(connection, "matched_pairs", pl.DataFrame(columns)):
        connection.execute(f"insert into {NAME} by name select * from matched_pairs")
