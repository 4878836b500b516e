"""Rules that no single row can break: keys, parents and the balance of journals.

Belongs here: set-based checks over the accepted rows of an entity; what breaks one is moved to quarantine.
Does not belong here: differences between systems; those are findings of reconciliations, never refusals.
"""

import duckdb

from finpipe.contracts import Canonical, columns, entities, key_of
from finpipe.systems import System
from finpipe.warehouse import literal, quoted

#: Where ``note_rivals`` keeps what ``refuse_rivals`` refuses.
RIVALS = (
    "create or replace temp table rivals (system varchar, source_table varchar, load_seq bigint, row_number bigint)"
)


def refuse_duplicate_keys(connection: duckdb.DuckDBPyConnection, name: str, owners: dict[str, str]) -> None:
    """A key that several accepted rows claim is nobody's: all of them are refused, with the systems that claim it."""
    key = key_of(entities()[name])
    claimants = f"(select string_agg(distinct o.system, ' and ' order by o.system) from canonical.{name} o "
    claimants += f"where o.{key} = c.{key})"
    twice = f"select {key} from canonical.{name} group by {key} having count(*) > 1"
    _move(
        connection,
        name,
        owners,
        "DQ-RULE",
        f"c.{key} in ({twice})",
        f"'{key} ' || c.{key} || ' is claimed by more than one record' || case when contains({claimants}, ' and ') "
        f"then ', of ' || {claimants} || ': put a key_prefix before the ids of one' else '' end",
    )


def note_rivals(connection: duckdb.DuckDBPyConnection, system: System, table: str, superseded: str) -> None:
    """Note, in temp table ``rivals``, records in force that another row of their own file contradicts.

    Same key, same time of change, other content: which holds cannot be known.  A later delivery settles it.  Objects
    that tell their kind (an API's) are left out: they carry no time of change, and their files hold states in order.
    Temp table ``superseded`` holds the ``row_id`` of rows that are not in force: every key that came twice has one.
    """
    if system.settings.get("json", {}).get("kind") or not system.tables[table].key:
        return
    raw = f"raw.raw_{system.name}.{quoted(table)}"
    connection.execute(f"""
        insert into rivals
        with repeated as (select _key from {raw} where rowid in (from {superseded})),
        contents as (
            select _key, _hash, bool_or(_active) as is_active, max(_version) as changed_at, max(_load_seq) as last_load
            from {raw} where _key in (select _key from repeated) group by _key, _hash),
        newest as (
            select _key from contents
            qualify rank() over (partition by _key
                order by is_active desc, changed_at desc nulls last, last_load desc) = 1)
        select {literal(system.name)}, {literal(table)}, _load_seq, _row from temp.{quoted(table)}
        where _key in (select _key from newest group by _key having count(*) > 1)""")


def refuse_rivals(connection: duckdb.DuckDBPyConnection, name: str, owners: dict[str, str]) -> None:
    """A record that one file states in two ways is refused, whichever of them came last."""
    if not connection.execute("select 1 from rivals limit 1").fetchall():
        return
    key = key_of(entities()[name])
    _move(
        connection,
        name,
        owners,
        "DQ-RULE",
        "(c.system, c.source_table, c.load_seq, c.row_number) in (select (system, source_table, load_seq, row_number) "
        "from rivals)",
        f"'{key} ' || c.{key} || ' has several rows in one file of ' || c.source_table || "
        "', with different contents and the same time of change: deliver it again with the one that holds'",
    )


def refuse_orphans(connection: duckdb.DuckDBPyConnection, name: str, owners: dict[str, str]) -> None:
    """A row whose parent must exist and was not accepted: a line without its header."""
    for column in columns(entities()[name]):
        if column.must_exist and column.to:
            parent = key_of(entities()[column.to])
            _move(
                connection,
                name,
                owners,
                "DQ-RULE",
                f"not c.is_deleted and c.{column.name} not in (select {parent} from canonical.{column.to})",
                f"'{column.name} ' || c.{column.name} || ' has no accepted row in {column.to}: "
                "land its header, or mend the header that was refused'",
            )


def refuse_unbalanced_journals(connection: duckdb.DuckDBPyConnection, owners: dict[str, str]) -> None:
    """A posting whose lines do not sum to zero in each currency is refused whole, with its lines."""
    connection.execute("""
        create or replace temp table unbalanced as
        select journal_event_id, max(imbalance) as imbalance
        from (
            select journal_event_id, currency, sum(amount) || ' ' || currency as imbalance
            from canonical.journal_lines where not is_deleted
            group by journal_event_id, currency having sum(amount) <> 0
        ) group by journal_event_id""")
    why = (
        "'lines of posting ' || c.journal_event_id || ' do not balance: they sum to ' || "
        "(select u.imbalance from unbalanced u where u.journal_event_id = c.journal_event_id)"
    )
    for name in ("journal_lines", "journal_events"):
        _move(
            connection,
            name,
            owners,
            "JE-UNBALANCED",
            "c.journal_event_id in (select journal_event_id from unbalanced)",
            why,
        )


def parents_first(names: list[str]) -> list[str]:
    """The entities ordered so that those a row must have as parents come before it."""
    ordered: list[str] = []
    waiting = sorted(names)
    while waiting:
        ready = [n for n in waiting if not (_parents(entities()[n], n) & set(waiting))]
        if not ready:
            raise ValueError(f"contracts demand parents in a circle: {waiting}")
        ordered += ready
        waiting = [n for n in waiting if n not in ready]
    return ordered


def _parents(entity: type[Canonical], name: str) -> set[str]:
    return {c.to for c in columns(entity) if c.must_exist and c.to and c.to != name}


def _move(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    owners: dict[str, str],
    code: str,
    condition: str,
    reason: str,
) -> None:
    """Move accepted rows that meet ``condition`` into quarantine, with the reason and the money at risk."""
    entity = entities()[name]
    spec = columns(entity)
    at_risk = next((f"c.{s.name}" for s in spec if s.at_risk), "null")
    money = next((f"c.{s.name}" for s in spec if s.role == "currency"), "null")
    owner = " ".join(f"when {literal(system)} then {literal(owner)}" for system, owner in sorted(owners.items()))
    if not connection.execute(f"select count(*) from canonical.{name} c where {condition}").fetchall()[0][0]:
        return
    connection.execute(f"""
        create or replace temp table moved as select c.rowid as moved_row, {reason} as reason
        from canonical.{name} c where {condition}""")
    connection.execute(f"""
        insert into quarantine.rows
        select c.system, {literal(name)}, c.{key_of(entity)}, c.source_table, c.load_seq, c.row_number,
            {literal(code)}, m.reason, cast(to_json(c) as varchar), {at_risk}, {money},
            case c.system {owner} else 'data platform' end, c.recorded_at
        from canonical.{name} c join moved m on c.rowid = m.moved_row""")
    connection.execute(f"delete from canonical.{name} where rowid in (select moved_row from moved)")
