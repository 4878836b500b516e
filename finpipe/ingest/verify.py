"""Proof on demand that ledger, landing zone, raw tables and witness agree.

Belongs here: looking.  Does not belong here: repairing (``heal``).
"""

import hashlib

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest import ledger
from finpipe.ingest.landing import Manifest, manifests
from finpipe.settings import Home
from finpipe.warehouse import literal, quoted


def verify(home: Home, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Problems, one sentence each; empty when everything agrees. Reads every landed byte."""
    ledger.create(connection)
    try:
        landed = manifests(home)
    except FinpipeError as problem:
        return [f"{problem.error}: {problem.where}"]
    problems = _chain(connection)
    problems += _witness(home, connection)
    problems += _landing(home, connection, landed)
    problems += _raw(connection)
    return problems


def _chain(connection: duckdb.DuckDBPyConnection) -> list[str]:
    for must, is_ in zip(ledger.computed(connection), ledger.stored(connection), strict=True):
        if must != is_:
            return [f"the chain of the load ledger breaks at load {must[0]}: its facts do not give its hash"]
    return []


def _witness(home: Home, connection: duckdb.DuckDBPyConnection) -> list[str]:
    witness = ledger.read_witness(home.witness)
    rows = ledger.stored(connection)
    if witness is None:
        return ["there is no witness of the load ledger's head"] if rows else []
    if not witness:
        return ["the witness of the load ledger's head cannot be read"]
    hashes = {seq: own for seq, _, own in rows}
    if witness["load_seq"] not in hashes:
        return [f"the load ledger lost its tail: load {witness['load_seq']} was witnessed and is not there"]
    if hashes[witness["load_seq"]] != witness["hash"]:
        return [f"load {witness['load_seq']} has another hash than the one witnessed"]
    return []


def _landing(home: Home, connection: duckdb.DuckDBPyConnection, landed: list[Manifest]) -> list[str]:
    """Landed bytes against their digests, and the ledger's files against landing."""
    problems = []
    digests = dict(connection.execute("select load_seq, digest from ledger.loads").fetchall())
    for manifest in landed:
        path = manifest.path(home)
        named = f"{manifest.system} {manifest.original_name} (load {manifest.order})"
        if not path.exists():
            problems.append(f"the landed file of {named} is gone: {manifest.file}")
            continue
        with path.open("rb") as file:
            own = hashlib.file_digest(file, "sha256").hexdigest()
        if own != manifest.sha256:
            problems.append(f"the landed file of {named} was changed: its bytes do not give its digest")
        if digests.get(manifest.order, manifest.sha256) != manifest.sha256:
            problems.append(f"ledger and landing disagree on the digest of {named}")
    gone = sorted(set(digests) - {m.order for m in landed})
    problems += [f"load {seq} is in the ledger and has no landed file" for seq in gone]
    return problems


def _raw(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Rows in raw against the ledger."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name like 'raw\\_%' escape '\\' order by all"
    ).fetchall()
    selects = [
        f"select _load_seq, {literal(schema.removeprefix('raw_'))}, {literal(table)}, count(*) "
        f"from {quoted(schema)}.{quoted(table)} group by 1"
        for schema, table in tables
    ]
    rows = connection.execute(" union all ".join(selects)).fetchall() if selects else []
    counted = {row[:3]: row[3] for row in rows}
    said = {
        row[:3]: row[3]
        for row in connection.execute(
            "select load_seq, system, table_name, rows from ledger.loaded_tables where rows > 0"
        ).fetchall()
    }
    return [
        f"{system}.{table} has {counted.get((seq, system, table), 0):,} rows of load {seq}, "
        f"the ledger says {said.get((seq, system, table), 0):,}"
        for seq, system, table in sorted(set(counted) | set(said))
        if counted.get((seq, system, table), 0) != said.get((seq, system, table), 0)
    ]
