"""The company's own fiscal calendars as tables of schema ``reference``, for models to read.

Belongs here: rows of a declaration.  Does not belong here: what may be declared (``finpipe.reference.calendars``).
"""

import duckdb

from finpipe.errors import FinpipeError
from finpipe.reference.calendars import Calendar, calendars
from finpipe.settings import Home
from finpipe.warehouse import literal

_TABLES = {
    "fiscal_periods": "calendar varchar, kind varchar, name varchar, starts_on date, ends_on date",
    "entity_calendars": "legal_entity_id varchar, calendar varchar",
}
#: The group's calendar has no name in the models.
_GROUP = "group"


def calendars_of(home: Home) -> list[Calendar]:
    """The calendars that a company declares; raises ``FinpipeError`` for one that cannot be meant or is not there."""
    where = str(home.root / "finpipe.toml")
    declared = calendars(home.config.calendars, where)
    names = [calendar.name for calendar in declared]
    for entity, name in home.config.entity_calendars.items():
        if name not in names:
            fix = f"one of: {', '.join(names)}" if names else f"declare [calendars.{name}]"
            raise FinpipeError("there is no such calendar", where=where, got=f'"{entity}" = "{name}"', fix=fix)
    return declared


def write_calendars(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Make the tables anew."""
    rows: dict[str, list[tuple[object, ...]]] = {
        "fiscal_periods": [
            ("" if calendar.name == _GROUP else calendar.name, s.kind, s.name, s.starts_on, s.ends_on)
            for calendar in calendars_of(home)
            for s in calendar.spans
        ],
        "entity_calendars": [
            (f"erp:{entity}", "" if name == _GROUP else name)
            for entity, name in sorted(home.config.entity_calendars.items())
        ],
    }
    for table, columns in _TABLES.items():
        connection.execute(f"create or replace table reference.{table} ({columns})")
        listed = ", ".join(f"({', '.join(literal(v) for v in row)})" for row in rows[table])
        if listed:
            connection.execute(f"insert into reference.{table} values {listed}")
