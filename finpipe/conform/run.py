"""One pass of CONFORM over all entities that have something new.

Belongs here: which mappings run, in which order, and the report.  Does not belong here: what the gate decides.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from finpipe.conform import fixes, macros, matching, newest, rules, succession
from finpipe.conform.backfills import write_backfills
from finpipe.conform.calendars import write_calendars
from finpipe.conform.gate import pass_gate
from finpipe.conform.mapping import map_into
from finpipe.conform.policy import write_policy
from finpipe.conform.schema import prepare
from finpipe.contracts import columns, entities, version_of
from finpipe.errors import FinpipeError
from finpipe.policy import policy_of
from finpipe.settings import Home
from finpipe.systems import System
from finpipe.warehouse import literal, reading_raw

Progress = Callable[[str], None]
#: What people decided, and what was seen of exceptions.
_DECIDED = ["decisions", "sightings"]


@dataclass(frozen=True)
class Conformed:
    """What became of the records that one system's mapping gave for one entity."""

    system: str
    entity: str
    mapped: int
    accepted: int
    deleted: int
    quarantined: int


@dataclass(frozen=True)
class ConformReport:
    """The whole state after a pass: every system and entity, and which entities were worked on.

    ``aside`` holds systems whose mappings do not run, with the reason: what they gave before stands.
    """

    rows: tuple[Conformed, ...]
    touched: tuple[str, ...]
    aside: Mapping[str, FinpipeError]


class _MappingError(Exception):
    """A mapping of one system does not run."""

    def __init__(self, system: System, problem: FinpipeError) -> None:
        super().__init__(problem.error)
        self.system, self.problem = system, problem


def conform(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    progress: Progress = lambda _: None,
    broken: Collection[str] = (),
) -> ConformReport:
    """Bring canonical and quarantine up to the state of raw, in one transaction.

    A system in ``broken``, or one with a mapping that does not run or does not fit its contract, is set aside: all that
    it gave before stands as it is, and the others go on. Raises ``FinpipeError`` when it is the company's decisions.
    The caller holds the write lock and that of raw.
    """
    aside: dict[str, FinpipeError] = {}
    with reading_raw(home, connection):
        while True:  # ends: each turn sets one system more aside
            left = {n: s for n, s in systems.items() if n not in aside}
            try:
                touched = _pass(home, connection, left, {*broken, *aside}, progress)
                break
            except _MappingError as problem:
                if problem.system.role == "decisions":
                    raise problem.problem from None
                # One history told by two systems is told by both or by none.
                for name, system in left.items():
                    if problem.system.name in (name, system.replaces) or problem.system.replaces == name:
                        aside[name] = problem.problem
    return ConformReport(_state(connection), tuple(touched), aside)


def _pass(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    held: Collection[str],
    progress: Progress,
) -> list[str]:
    """One transaction over all systems but those that are held as they are; returns the entities worked on."""
    prepare(connection)
    succession.prepare(connection)
    connection.execute("begin")
    try:
        _take_over_books(connection)
        write_policy(connection, policy_of(home))
        write_calendars(connection, home)
        connection.execute(rules.RIVALS)
        succession.note_former_keys(connection)
        # Decisions first: fixes among them are laid over the rows of all others.
        bring_up = partial(_bring_up, home, connection, systems, held, progress)
        touched = bring_up(_DECIDED, [])
        decided = fixes.decided(connection)
        write_backfills(connection)
        # Then which records moved: that decides the keys of everything else.
        touched += bring_up([succession.MIGRATED], decided)
        succession.note_former_keys(connection)
        rest = [n for n in entities() if n not in (*_DECIDED, succession.MIGRATED)]
        touched += bring_up(rest, decided)
        # Last, which customers of several systems are one: all that is known of them is there.
        touched += [matching.NAME] if matching.bring_up(connection) else []
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return touched


def _take_over_books(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep the load ledger as it is now beside what follows from it: LOAD goes on while marts are built."""
    for book in ("loads", "loaded_tables"):
        connection.execute(f"create or replace table ledger.{book} as select * from raw.ledger.{book}")


def _bring_up(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    held: Collection[str],
    progress: Progress,
    names: list[str],
    decided: list[fixes.Fix],
) -> list[str]:
    """Conform those of some entities whose inputs changed; returns them, parents first."""
    touched = _touched(home, connection, systems, names, decided)
    others = f"coalesce(system, '') not in ({', '.join(map(literal, sorted(held)))})" if held else "true"
    fixes.restart(connection, decided, touched, others)
    for name in touched:
        connection.execute(f"delete from canonical.{name} where {others}")
        connection.execute(f"delete from quarantine.rows where entity = ? and {others}", [name])
    for system in systems.values():
        try:
            _conform_system(home, connection, system, [n for n in touched if n in _feeds(system)], progress)
        except FinpipeError as problem:
            raise _MappingError(system, problem) from None
    if "legal_entities" in touched:
        _configured_legal_entity(home, connection)
    for name in touched:
        inputs = _inputs(home, connection, systems, name, decided)
        connection.execute("insert or replace into ledger.conformed values (?, ?)", [name, inputs])
    for name in touched:
        succession.set_replaced_aside(connection, name, succession.heirs(systems.values()), others)
    _across_rows(connection, systems, touched)
    return touched


def _feeds(system: System) -> list[str]:
    """Entities that a system feeds. Only one that replaces another says which records moved."""
    return [n for n in system.mappings if n != succession.MIGRATED or system.replaces]


def _conform_system(
    home: Home, connection: duckdb.DuckDBPyConnection, system: System, names: list[str], progress: Progress
) -> None:
    """Run the mappings of one system, each through the gate, over its newest records."""
    if not names:
        return
    macros.define(connection, system, home.config)
    made = newest.show(connection, system, names)
    for name in names:
        progress(f"{system.name} → canonical.{name}")
        map_into(connection, system.mappings[name], entities()[name])
        succession.give_former_keys(connection, system, name)
        fixes.lay_over(connection, system, name, entities()[name])
        pass_gate(connection, system, name, entities()[name])
    for thing in reversed(made):
        connection.execute(f"drop {thing}")


def _files(system: System, names: list[str]) -> list[Path]:
    """The SQL files that decide these entities of a system."""
    return [*system.shared.values(), *(system.mappings[n] for n in names)]


def _across_rows(connection: duckdb.DuckDBPyConnection, systems: dict[str, System], touched: list[str]) -> None:
    owners = {s.name: s.owner for s in systems.values()}
    for name in touched:
        rules.refuse_rivals(connection, name, owners)
        rules.refuse_duplicate_keys(connection, name, owners)
    if "journal_lines" in touched:
        rules.refuse_orphans(connection, "journal_lines", owners)
        rules.refuse_unbalanced_journals(connection, owners)
    for name in touched:
        rules.refuse_orphans(connection, name, owners)


def _configured_legal_entity(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """The one entity of a company whose ERP has no table of them, from ``finpipe.toml``."""
    key = macros.legal_entity_key(home.config)
    known = f"select 1 from canonical.legal_entities where legal_entity_id = {literal(key)}"
    if key is None or connection.execute(known).fetchall():
        return
    said = home.config.legal_entity
    values = {
        "legal_entity_id": literal(key),
        "name": literal(said.get("name", said["id"])),
        "functional_currency": literal(said.get("currency", home.config.reporting_currency)),
        "is_elimination": "false",
        "system": "'finpipe.toml'",
        "source_id": literal(said["id"]),
        "recorded_at": "timestamptz '1970-01-01 00:00:00+00'",
        "is_deleted": "false",
        "source_table": "'legal_entity'",
        "load_seq": "0",
        "row_number": "0",
        "row_hash": f"md5({literal(repr(sorted(said.items())))})",
        "contract_version": literal(version_of(entities()["legal_entities"])),
    }
    listed = ", ".join(f"{value} as {column}" for column, value in values.items())
    connection.execute(f"insert into canonical.legal_entities by name select {listed}")


def _touched(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    names: list[str],
    decided: list[fixes.Fix],
) -> list[str]:
    """Those entities whose inputs changed since the last pass, parents first, with all that hangs on them."""
    ordered = rules.parents_first(names)
    done = dict(connection.execute("select entity, inputs from ledger.conformed").fetchall())
    changed = {n for n in ordered if done.get(n) != _inputs(home, connection, systems, n, decided)}
    # A refused header refuses its lines and a released one releases them; a posting falls with its lines.
    for name in ordered:
        for column in columns(entities()[name]):
            if column.must_exist and column.to and {name, column.to} & changed:
                changed |= {name, column.to}
    return [n for n in ordered if n in changed]


def _inputs(
    home: Home,
    connection: duckdb.DuckDBPyConnection,
    systems: dict[str, System],
    name: str,
    decided: list[fixes.Fix],
) -> str:
    """Fingerprint of all that decides an entity: contract, mappings, settings, loads of their systems, fixes."""
    own = [repr(f) for f in decided if f.entity == name]
    facts: list[object] = [version_of(entities()[name]), sorted(home.config.legal_entity.items()), own]
    if name != succession.MIGRATED:
        facts.append(succession.fingerprint(connection))
    for system in systems.values():
        if name in _feeds(system):
            texts = [path.read_text(encoding="utf-8") for path in _files(system, [name])]
            newest = "select max(load_seq), max_by(hash, load_seq) from ledger.loads where system = ?"
            head = connection.execute(newest, [system.name]).fetchall()
            facts.append((system.name, texts, head, sorted(system.settings.items(), key=str)))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _state(connection: duckdb.DuckDBPyConnection) -> tuple[Conformed, ...]:
    """Count what is accepted, deleted and in quarantine now, by system and entity."""
    counts = " union all ".join(
        f"select system, {literal(n)} as entity, count(*) filter (not is_deleted) as accepted, "
        f"count(*) filter (is_deleted) as deleted, 0 as quarantined from canonical.{n} group by system"
        for n in entities()
    )
    rows = connection.execute(f"""
        select system, entity, sum(accepted)::bigint, sum(deleted)::bigint, sum(quarantined)::bigint from (
            {counts} union all
            select system, entity, 0, 0, count(*) from quarantine.rows group by system, entity
        ) group by system, entity order by system, entity""").fetchall()
    return tuple(Conformed(s, e, a + d + q, a, d, q) for s, e, a, d, q in rows)
