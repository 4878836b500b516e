"""One build: every model and test that dbt has, and the verdict that PUBLISH asks for.

Belongs here: starting a build, its record in ``ledger.builds``, what became of each node.
Does not belong here: dbt's command line (``dbt``) and what is shown where (``orchestration``).

A kill in the middle of a build leaves tables of two generations.  So a build first writes that it began, and
only one that ended with every blocking test passed writes ``passed``; nothing else may be published.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import duckdb

from finpipe import log
from finpipe.build import standing
from finpipe.build.dbt import invoke
from finpipe.build.manifest import DBT_PROJECT
from finpipe.errors import FinpipeError
from finpipe.policy import policy_of
from finpipe.settings import PROJECT, Home
from finpipe.systems import settings_version
from finpipe.warehouse import connect, literal, note_broken

_BUILDS = """
create table if not exists ledger.builds (
    build bigint primary key, as_of date, inputs varchar, load_seq bigint, load_hash varchar, code_version varchar,
    verdict varchar, policy_version varchar, settings_version varchar
);
alter table ledger.builds add column if not exists policy_version varchar;
alter table ledger.builds add column if not exists settings_version varchar"""

#: Called with ``build`` or ``check``, and the name of the model or test that begins.
Progress = Callable[[str, str], None]
#: Called with each result of dbt as dbt's own structured log writes it; Dagster's side reads that.
Listen = Callable[[dict[str, Any]], None]
_RESULTS = ("LogModelResult", "LogSeedResult", "LogTestResult")


@dataclass(frozen=True)
class Node:
    """What became of one model, seed or test."""

    unique_id: str
    status: str  # success, pass, warn, fail, error, skipped
    failures: int
    message: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether the node did what it should; a test that warned did not."""
        return self.status in ("success", "pass")


@dataclass(frozen=True)
class BuildReport:
    """A build: its number, its nodes by unique id, and whether its figures may be published."""

    build: int
    as_of: date
    load_seq: int
    load_hash: str
    code_version: str
    verdict: str  # building, passed, failed
    nodes: dict[str, Node]
    is_new: bool = True
    policy_version: str = ""
    settings_version: str = ""


def build(
    home: Home,
    as_of: date,
    progress: Progress = lambda _stage, _what: None,
    *,
    force: bool = False,
    listen: Listen = lambda _result: None,
) -> BuildReport:
    """Rebuild and test what is behind canonical at the cut ``as_of`` and does not stand; nothing, if all of it does.

    ``force`` builds everything.

    The caller holds the write lock and has no connection open: dbt opens the warehouse itself.
    Raises ``FinpipeError`` when dbt could not run at all.
    """
    with connect(home) as connection:
        inputs = stamps_inputs(home, connection, as_of)
        last = latest_build(connection)
        if last and not force and last.verdict == "passed" and _inputs_of(connection, last.build) == inputs:
            return last
        begun = _begin(home, connection, as_of, inputs)
        if force:
            standing.start_over(connection)
        changed = standing.note_sources(connection)
        is_alike = last is not None and last.verdict == "passed" and _cut(last) == _cut(begun) and not force
        asked = standing.reached(connection, changed) if is_alike else None
    nodes: dict[str, Node] = {}
    succeeded = asked == [] or _run_dbt(home, begun, asked, lambda event: _hear(event, nodes, progress, listen))
    for node in nodes.values():
        if node.status == "error":
            note_broken(home.warehouse, node.message)
    verdict = "passed" if succeeded else "failed"
    with connect(home) as connection:
        _keep_results(connection, begun.build, nodes, is_whole=asked is None)
        connection.execute("update ledger.builds set verdict = ? where build = ?", [verdict, begun.build])
    log.note("build.done", build=begun.build, as_of=str(as_of), verdict=verdict)
    return replace(begun, verdict=verdict, nodes=nodes)


def _run_dbt(home: Home, begun: BuildReport, asked: list[str] | None, listen: Callable[[Any], None]) -> bool:
    """Have dbt build and test what is asked, or everything; what it meets of a damaged database is noted."""
    try:
        return invoke(
            ["--no-write-json", "build", "--exclude-resource-type", "unit_test", *_select(asked)],
            warehouse=home.warehouse,
            scratch=home.root / "dbt",
            variables=json.dumps(variables(home, begun.as_of)),
            settings={
                "FINPIPE_MEMORY_LIMIT": home.config.memory_limit,
                "FINPIPE_THREADS": str(home.config.threads),
                "FINPIPE_CODE_VERSION": begun.code_version,
            },
            listen=listen,
        )
    except FinpipeError as problem:
        note_broken(home.warehouse, problem.got)
        raise


def _select(asked: list[str] | None) -> list[str]:
    """dbt's words for some models and tests, which it knows by name (and, with a model, its tests); none for all."""
    return ["--select", *sorted({unique_id.split(".")[2] for unique_id in asked})] if asked else []


def variables(home: Home, as_of: date) -> dict[str, Any]:
    """What the company's configuration and the cut tell dbt."""
    said = home.config
    entity = said.legal_entity.get("id")
    return {
        "as_of": as_of.isoformat(),
        "reporting_currency": said.reporting_currency,
        "document_roles": list(said.document_roles),
        "default_legal_entity": f"erp:{entity}" if entity else None,
        **policy_of(home).tolerances,
    }


def latest_build(connection: duckdb.DuckDBPyConnection) -> BuildReport | None:
    """The last build that began, as its record says; it has no nodes."""
    connection.execute(_BUILDS)
    found = connection.execute(
        "select build, as_of, load_seq, load_hash, code_version, verdict, coalesce(policy_version, ''), "
        "coalesce(settings_version, '') from ledger.builds order by build desc limit 1"
    ).fetchall()
    if not found:
        return None
    number, as_of, load_seq, load_hash, version, verdict, policy, settings = found[0]
    return BuildReport(
        number,
        as_of,
        load_seq,
        load_hash,
        version,
        verdict,
        {},
        is_new=False,
        policy_version=policy,
        settings_version=settings,
    )


def stamps_inputs(home: Home, connection: duckdb.DuckDBPyConnection, as_of: date) -> str:
    """Fingerprint of all that decides a build: canonical's own inputs, models and variables."""
    conformed = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'ledger' and table_name = 'conformed'"
    ).fetchall()
    facts = (
        connection.execute("select entity, inputs from ledger.conformed order by entity").fetchall()
        if conformed
        else [],
        _load_head(connection),
        sorted(variables(home, as_of).items(), key=str),
        _policy_version(connection),
        (home.config.calendars, home.config.entity_calendars),
        code_version(),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def code_version() -> str:
    """Fingerprint of the code and SQL that figures follow from, and of the engine that runs it."""
    files = [
        *(PROJECT / "finpipe").rglob("*.py"),
        *(p for kind in ("*.sql", "*.yml", "*.csv") for p in DBT_PROJECT.rglob(kind) if "target" not in p.parts),
    ]
    total = hashlib.sha256(duckdb.__version__.encode())
    for path in sorted(files):
        total.update(str(path.relative_to(PROJECT)).encode())
        total.update(path.read_bytes())
    return total.hexdigest()[:12]


def _cut(report: BuildReport) -> tuple[object, ...]:
    """What decides every model, whatever the data say."""
    return report.as_of, report.code_version, report.policy_version, report.settings_version


def _begin(home: Home, connection: duckdb.DuckDBPyConnection, as_of: date, inputs: str) -> BuildReport:
    last = latest_build(connection)
    number = last.build + 1 if last else 1
    seq, load_hash = _load_head(connection)
    version, policy, settings = code_version(), _policy_version(connection), settings_version(home)
    connection.execute(
        "insert into ledger.builds by name select ? as build, ? as as_of, ? as inputs, ? as load_seq, ? as load_hash, "
        "? as code_version, 'building' as verdict, ? as policy_version, ? as settings_version",
        [number, as_of, inputs, seq, load_hash, version, policy, settings],
    )
    return BuildReport(
        number, as_of, seq, load_hash, version, "building", {}, policy_version=policy, settings_version=settings
    )


def _keep_results(
    connection: duckdb.DuckDBPyConnection, number: int, nodes: dict[str, Node], *, is_whole: bool
) -> None:
    """What became of each model and test when it was last asked; the evidence of a close holds it."""
    connection.execute(
        "create table if not exists ledger.build_results "
        "(build bigint, node varchar, status varchar, failures bigint, message varchar)"
    )
    asked = ", ".join(map(literal, sorted(nodes))) or "''"
    connection.execute(f"delete from ledger.build_results where {is_whole} or node in ({asked})")
    rows = ", ".join(
        f"({', '.join(map(literal, (number, n.unique_id, n.status, n.failures, n.message)))})"
        for _, n in sorted(nodes.items())
    )
    if rows:
        connection.execute(f"insert into ledger.build_results values {rows}")


def _inputs_of(connection: duckdb.DuckDBPyConnection, number: int) -> str:
    return str(connection.execute("select inputs from ledger.builds where build = ?", [number]).fetchall()[0][0])


def _policy_version(connection: duckdb.DuckDBPyConnection) -> str:
    """Version of the policy that CONFORM wrote for models to read."""
    there = "select 1 from duckdb_tables() where schema_name = 'reference' and table_name = 'policy'"
    if not connection.execute(there).fetchall():
        return ""
    return str(connection.execute("select version from reference.policy").fetchall()[0][0])


def _load_head(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """Sequence and hash of the last load."""
    there = connection.execute(
        "select table_name from duckdb_tables() where schema_name = 'ledger' and table_name = 'loads'"
    ).fetchall()
    found = (
        connection.execute("select load_seq, hash from ledger.loads order by load_seq desc limit 1").fetchall()
        if there
        else []
    )
    return found[0] if found else (0, "")


def _hear(event: Any, nodes: dict[str, Node], progress: Progress, listen: Listen) -> None:
    """Keep what a finished node's event says, say which node began, and hand dbt's own results on."""
    kind = event.info.name
    if kind in _RESULTS:
        from dbt_common.events.functions import msg_to_dict  # noqa: PLC0415 - as dear as dbt

        listen(msg_to_dict(event))
    if kind == "NodeStart":
        is_test = event.data.node_info.resource_type == "test"
        progress("check" if is_test else "build", event.data.node_info.node_name)
    elif kind == "NodeFinished":
        info, result = event.data.node_info, event.data.run_result
        nodes[info.unique_id] = Node(
            info.unique_id, str(info.node_status), result.num_failures, result.message, result.execution_time
        )
    elif kind in ("SkippingDetails", "LogSkipBecauseError"):
        info = event.data.node_info
        nodes.setdefault(info.unique_id, Node(info.unique_id, "skipped", 0, "", 0.0))
