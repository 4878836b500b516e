"""The evidence pack of a close: plain files that say what was signed and what it follows from, and a hash over all.

Belongs here: writing a pack and checking one.  Does not belong here: deciding whether a period may be closed.
"""

import csv
import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from finpipe.contracts import entities, version_of
from finpipe.policy import Policy
from finpipe.settings import Home

_MANIFEST = "manifest.json"
#: Figures as the database has them, by file: the whole table, in a total order.
_TABLES = {
    "sources.csv": "select load_seq, system, table_name, original_name, digest, received_at, bytes, rows, verdict, "
    "reason, spec_version, hash from ledger.loads order by load_seq",
    "row_counts.csv": "select * from ledger.row_accounts order by all",
    "control_sums.csv": "select load_seq, system, table_name, rows, stated_rows, measure_sum, notes "
    "from ledger.loaded_tables order by all",
    "control_totals.csv": "select control_total_id, subject, scope, entity, starts_on, stated_on, currency, "
    "stated_amount, stated_count from staging.stg_control_totals order by 1",
    "tests.csv": "select * from ledger.build_results order by node",
    "builds.csv": "select * from ledger.builds order by build desc limit 1",
    "reconciliations.csv": "select * from marts.reconciliations order by all",
    "exceptions.csv": "select * from marts.exceptions order by all",
    "decisions.csv": "select decision_id, kind, subject, decided_by, decided_at, as_of_on, reason, payload "
    "from staging.stg_decisions order by decided_at, decision_id",
}


@dataclass(frozen=True)
class Pack:
    """A pack as it lies on disk: its folder, and the hash that the sign-off states."""

    folder: Path
    hash: str


def write_pack(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    name: str,
    facts: Mapping[str, Any],
    checklist: Sequence[Mapping[str, Any]],
    figures: Sequence[Mapping[str, Any]],
    policy: Policy,
) -> Pack:
    """Write the pack of one sign-off whole, or not at all; one that was left without a sign-off is replaced."""
    folder = home.closed / name
    draft = home.closed / f".draft-{name}"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _json(draft / "close.json", facts)
    _json(draft / "checklist.json", checklist)
    _csv(draft / "figures.csv", figures)
    # Where the company's words stand is no part of what they say, and an object has an address, not a content.
    rules = {name: said for name, said in asdict(policy).items() if name != "given"}
    _json(draft / "parameters.json", {"company": asdict(home.config), "policy": rules})
    _json(draft / "versions.json", _versions(connection, policy))
    for file, sql in _TABLES.items():
        _table(connection, draft / file, sql)
    _table(connection, draft / "windows.csv", _windows(connection))
    files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
    total = _whole(files)
    _json(draft / _MANIFEST, {"hash": total, "files": files})
    for path in draft.iterdir():
        path.chmod(0o444)
    if folder.exists():
        shutil.rmtree(folder)
    draft.rename(folder)
    return Pack(folder, total)


def check_pack(folder: Path, signed: str) -> list[str]:
    """What is wrong with a pack whose sign-off states a hash, one sentence each."""
    if not (folder / _MANIFEST).exists():
        return [f"the evidence of {folder.name} is gone"]
    said = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    problems = []
    if _whole(said["files"]) != signed or said["hash"] != signed:
        problems.append(f"the evidence of {folder.name} is not the one that was signed: its hash is another")
    there = {path.name for path in folder.iterdir()} - {_MANIFEST}
    problems += [
        f"evidence {folder.name} has a file that nobody signed: {name}" for name in sorted(there - set(said["files"]))
    ]
    for name, digest in said["files"].items():
        if name not in there:
            problems.append(f"evidence {folder.name} lost its file {name}")
        elif _sha256(folder / name) != digest:
            problems.append(f"evidence {folder.name}: {name} was changed after it was signed")
    return problems


def _whole(files: Mapping[str, str]) -> str:
    lines = "\n".join(f"{digest}  {name}" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _versions(connection: duckdb.DuckDBPyConnection, policy: Policy) -> dict[str, Any]:
    specs = connection.execute(
        "select system, max_by(spec_version, load_seq) from ledger.loads group by 1 order by 1"
    ).fetchall()
    code = connection.execute("select max_by(code_version, build) from ledger.builds").fetchall()[0][0]
    return {
        "code": code,
        "policy": policy.version,
        "contracts": {name: version_of(entity) for name, entity in sorted(entities().items())},
        "systems": dict(specs),
        "finpipe": version("finpipe"),
        "duckdb": duckdb.__version__,
        "python": platform.python_version(),
    }


def _windows(connection: duckdb.DuckDBPyConnection) -> str:
    """From when to when the records of each system and entity were made, and when their files landed."""
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() "
        "and schema_name = 'canonical' order by 1"
    ).fetchall()
    parts = [
        f"select system, '{name}' as entity, count(*) as rows, min(valid_from) as first_changed_at, "
        "max(valid_from) as last_changed_at, min(recorded_at) as first_landed_at, max(recorded_at) as last_landed_at "
        f"from canonical.{name} group by 1"
        for (name,) in tables
    ]
    return " union all ".join(parts) + " order by 1, 2"


def _table(connection: duckdb.DuckDBPyConnection, path: Path, sql: str) -> None:
    found = connection.execute(sql)
    names = [column[0] for column in found.description or ()]
    _csv(path, (dict(zip(names, row, strict=True)) for row in found.fetchall()), names)


def _csv(path: Path, rows: Iterable[Mapping[str, Any]], names: Sequence[str] = ()) -> None:
    listed = list(rows)
    columns = list(names) or (list(listed[0]) if listed else [])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if row[c] is None else _plain(row[c]) for c in columns] for row in listed])


def _json(path: Path, said: Any) -> None:
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False, default=_plain) + "\n", encoding="utf-8")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
