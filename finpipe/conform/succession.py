"""A system that replaces another: one history, told by two systems under two sets of ids.

Belongs here: putting the key a record first had in the place of the one the new system's id would make, and setting
aside what the replaced system said of records that were taken over.  Does not belong here: finding out which records
those are (a mapping, ``migrated_records.sql``), and anything about two systems that work side by side.

A record keeps the key it first had, so that published figures, findings and decisions go on naming it.  A migrated
record states its former id; where a system states none for a kind of records (accounts, say), equal ids are the same
record.  Everything the replaced system said and the new one does not repeat stays in force.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb

from finpipe.contracts import Canonical, Column, entities, key_of, own_columns
from finpipe.systems import System
from finpipe.warehouse import literal

MIGRATED = "migrated_records"
_FORMER = """
create or replace temp table former as
select system, id_space, record_key, any_value(former_key) as former_key,
    -- Seen from another system such an id is taken for the one it was before.
    record_key in (select o.former_key from canonical.migrated_records o where o.id_space = m.id_space) as is_ambiguous
from canonical.migrated_records m group by system, id_space, record_key"""
_SET_ASIDE = (
    "create table if not exists ledger.replaced_rows "
    "(entity varchar, system varchar, source_table varchar, load_seq bigint, row_number bigint)"
)


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the table of rows that a successor's version stands for."""
    connection.execute(_SET_ASIDE)


def heirs(systems: Iterable[System]) -> dict[str, str]:
    """Systems that replace another, with the one each replaces."""
    return {s.name: s.replaces for s in systems if s.replaces}


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Changes when any record has another former id: every entity that names records depends on it."""
    of_row = "md5_number_lower(concat_ws('|', id_space, record_key, former_key))"
    found = connection.execute(f"select count(*), sum({of_row}::hugeint) from canonical.{MIGRATED}").fetchall()
    return repr(found)


def note_former_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Make temp table ``former`` of the migrated records that were accepted."""
    connection.execute(_FORMER)


@dataclass(frozen=True)
class _Named:
    """A column of an entity that names records: in which space of ids, and how many ids it is made of."""

    column: str
    space: str
    ids: int


def space_of(name: str) -> str:
    """The space of ids that an entity's keys are from."""
    entity = entities()[name]
    key = next(c for c in own_columns(entity) if c.name == key_of(entity))
    return key.space or name


def _names_in(entity: type[Canonical], name: str) -> Iterator[_Named]:
    """The columns of an entity that name records of their own or of another system."""
    for column in own_columns(entity):
        if column.role == "key":
            yield _Named(column.name, column.space or name, max(column.ids, 1))
        elif column.to:
            yield _Named(column.name, space_of(column.to), 1)
        elif column.space:
            yield _Named(column.name, column.space, 1)


def give_former_keys(connection: duckdb.DuckDBPyConnection, system: System, name: str) -> None:
    """In temp table ``mapped``, call every migrated record by its former key.

    Systems of the same role speak of their own ids, so only the successor's are renamed there; other roles name records
    of either system, and an id that both have is taken for the former one.
    """
    spaces = {row[0] for row in connection.execute("select distinct id_space from temp.former").fetchall()}
    named = [n for n in _names_in(entities()[name], name) if n.space in spaces]
    if name == MIGRATED or not named:
        return
    joins, values = [], []
    for number, one in enumerate(named):
        for part in range(one.ids):
            f = f"f{number}_{part}"
            joins.append(
                f"left join temp.former {f} on {f}.id_space = {literal(one.space)} "
                f"and {f}.record_key = {_part(f'm.{one.column}', part)} and ({f}.system = {literal(system.name)} "
                f"or (not {f}.is_ambiguous and not starts_with({f}.record_key, {literal(system.role + ':')})))"
            )
        values.append(f"{_renamed(f'm.{one.column}', number, one.ids)} as {one.column}")
    connection.execute(
        f"create or replace temp table mapped as select m.* replace ({', '.join(values)}) "
        f"from temp.mapped m {' '.join(joins)}"
    )


def _part(key: str, part: int) -> str:
    """The n-th id in a key, with the key's role: ``erp:7/9`` → ``erp:7``, ``erp:9``."""
    if part == 0:
        return f"split_part({key}, '/', 1)"
    return f"split_part({key}, ':', 1) || ':' || split_part({key}, '/', {part + 1})"


def _renamed(key: str, number: int, ids: int) -> str:
    """The key with each of its ids replaced by the former one, where there is one."""
    found = [f"f{number}_{part}" for part in range(ids)]
    none = " and ".join(f"{f}.record_key is null" for f in found)
    first = f"coalesce({found[0]}.former_key, {_part(key, 0)})"
    rest = [
        f"coalesce(substr({f}.former_key, instr({f}.former_key, ':') + 1), "
        f"nullif(split_part({key}, '/', {part + 1}), ''))"
        for part, f in enumerate(found[1:], start=1)
    ]
    tail = f"array_to_string(string_split({key}, '/')[{ids + 1}:], '/')"
    pieces = ", ".join([first, *rest, f"nullif({tail}, '')"])
    return f"case when {none} then {key} else concat_ws('/', {pieces}) end"


def set_replaced_aside(
    connection: duckdb.DuckDBPyConnection, name: str, inheritance: dict[str, str], worked_on: str
) -> None:
    """Take out of an entity, and of quarantine, what a replaced system said of records that its successor shows.

    ``worked_on`` says in SQL which systems' rows were made anew; what others left stands.
    """
    connection.execute(f"delete from ledger.replaced_rows where entity = ? and {worked_on}", [name])
    for new, old in sorted(inheritance.items()):
        connection.execute(f"create or replace temp table replaced as {_replaced(connection, name, new, old)}")
        connection.execute(
            f"insert into ledger.replaced_rows select distinct {literal(name)}, {literal(old)}, source_table, "
            "load_seq, row_number from replaced"
        )
        for table, is_refused in ((f"canonical.{name}", "false"), ("quarantine.rows", "true")):
            gone = f"select place from replaced where is_refused = {is_refused}"
            connection.execute(f"delete from {table} where rowid in ({gone})")


def _replaced(connection: duckdb.DuckDBPyConnection, name: str, new: str, old: str) -> str:
    """Rows of the old system, accepted or refused, whose record the new one has taken over."""
    entity = entities()[name]
    key = next(c for c in own_columns(entity) if c.role == "key")
    of_key = " and ".join(_is_taken(connection, name, new, _place("r.row_key", key, part)) for part in _parts(key))
    headers = [c for c in own_columns(entity) if c.must_exist and c.to]
    of_header = [_is_taken(connection, str(c.to), new, f"split_part(r.header_{c.name}, '/', 1)") for c in headers]
    listed = "".join(f", {c.name} as header_{c.name}" for c in headers)
    refused = "".join(f', "row" ->> {literal(c.name)} as header_{c.name}' for c in headers)
    return f"""
        select r.is_refused, r.place, r.source_table, r.load_seq, r.row_number from (
            select false as is_refused, rowid as place, {key.name} as row_key, source_table, load_seq,
                row_number{listed}
            from canonical.{name} where system = {literal(old)}
            union all
            select true as is_refused, rowid as place, row_key, source_table, load_seq, row_number{refused}
            from quarantine.rows where system = {literal(old)} and entity = {literal(name)}
        ) r where {" or ".join([f"({of_key})", *of_header])}"""


def _parts(key: Column) -> range:
    return range(max(key.ids, 1))


def _place(row_key: str, key: Column, part: int) -> str:
    """What of a key is looked up: the ids it is made of, or all of it."""
    return _part(row_key, part) if key.ids else row_key


def _is_taken(connection: duckdb.DuckDBPyConnection, name: str, new: str, key: str) -> str:
    """Whether the new system has taken over the record that an expression names."""
    space, entity = space_of(name), entities()[name]
    stated = f"from temp.former where system = {literal(new)} and id_space = {literal(space)}"
    if connection.execute(f"select 1 {stated} limit 1").fetchall():
        return f"{key} in (select former_key {stated})"
    spec = next(c for c in own_columns(entity) if c.role == "key")
    own, refused = _place(spec.name, spec, 0), _place("row_key", spec, 0)
    return (
        f"{key} in (select {own} from canonical.{name} where system = {literal(new)} union all "
        f"select {refused} from quarantine.rows where system = {literal(new)} and entity = {literal(name)})"
    )
