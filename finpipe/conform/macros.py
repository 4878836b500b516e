"""The few SQL words that mappings share: dates, moments, flags and money as systems write them.

Belongs here: macros that turn a system's spelling into the gate's.  What they do not understand they return
unchanged, so that the gate refuses it with the original text.
Does not belong here: anything that decides what a field means.
"""

import duckdb

from finpipe.reference.currencies import MINOR_UNITS
from finpipe.settings import Config
from finpipe.systems import System
from finpipe.warehouse import literal

_FLAGS = """
case when t is null then null
     when lower(t) in ('true', 't', '1', 'yes', 'y') then 'true'
     when lower(t) in ('false', 'f', '0', 'no', 'n') then 'false'
     else t end"""

# Plain ASCII decimals that lose nothing here; anything else is null and goes to the gate as it came.
_AMOUNT = r"""
case when regexp_full_match(t, '-?([0-9]+(\.[0-9]{0,8}0*)?|\.[0-9]{1,8}0*)') then try_cast(t as decimal(28, 8)) end"""


# DuckDB wants no space before an offset.
_MOMENT = "try_cast(replace(replace(t, ' +', '+'), ' -', '-') as timestamp with time zone)"


def define(connection: duckdb.DuckDBPyConnection, system: System, config: Config) -> None:
    """Define the macros as this system needs them: its time zone, date formats and minor units."""
    macros = {
        "key(r, i)": "case when i is null or i = '' then null else r || ':' || i end",
        "is_true(t)": _FLAGS,
        "amount(t)": _AMOUNT,
        "iso_date(t)": _date(system),
        "iso_instant(t)": _instant(system),
        "from_minor(t, ccy)": _from_minor(system),
        "default_legal_entity()": literal(legal_entity_key(config)),
    }
    for signature, body in macros.items():
        connection.execute(f"create or replace temp macro {signature} as {body}")
    # A company with one entity says its currency once; a system's own word for it wins.
    given = {name: value for name, value in system.variables.items() if value}
    empty = dict.fromkeys(system.variables, "")
    for name, value in {**empty, "base_currency": config.legal_entity.get("currency", ""), **given}.items():
        connection.execute(f"set variable {name} = {literal(value)}")


def legal_entity_key(config: Config) -> str | None:
    """Key of the entity that ``finpipe.toml`` names for a company without a subsidiary table."""
    return f"erp:{config.legal_entity['id']}" if "id" in config.legal_entity else None


def _epoch(zone: str) -> str:
    """Seconds or milliseconds since 1970 as a moment on the clock of ``zone``."""
    return (
        f"timezone({literal(zone)}, case when length(t) > 11 then to_timestamp(cast(t as bigint) // 1000) "
        "else to_timestamp(cast(t as bigint)) end)"
    )


def _formats(system: System) -> list[str]:
    """The system's own formats, each as a date and with the usual times of day."""
    dates = [str(f) for f in system.settings.get("date_formats", [])]
    return [f + time for f in dates for time in (" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "")]


def _own_format(system: System, pattern: str) -> str:
    formats = _formats(system)
    if not formats:
        return "t"
    listed = ", ".join(literal(f) for f in formats)
    return f"coalesce(strftime(try_strptime(t, [{listed}]), {literal(pattern)}), t)"


def _date(system: System) -> str:
    zone = str(system.settings.get("timezone", "UTC"))
    # What is on the system's own clock already keeps its day.
    here = "( ?(Z|UTC|[+-]00(:?00)?))?" if zone == "UTC" else ""
    offset = " ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
    moment = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{1,2}:[0-9:.]+"
    return rf"""
case when t is null or (length(t) = 10 and t[5] = '-') then t
     when regexp_full_match(t, '-?[0-9]{{9,13}}') then strftime({_epoch(zone)}, '%Y-%m-%d')
     when regexp_full_match(t, '{moment}{here}') then left(t, 10)
     when regexp_full_match(t, '{moment}{offset}') then coalesce(strftime(timezone({literal(zone)},
         {_MOMENT}), '%Y-%m-%d'), t)
     else {_own_format(system, "%Y-%m-%d")} end"""


def _instant(system: System) -> str:
    zone = str(system.settings.get("timezone", "UTC"))
    naive = (
        "try_cast(t as timestamp)"
        if zone == "UTC"
        else (f"timezone('UTC', timezone({literal(zone)}, try_cast(t as timestamp)))")
    )
    pattern = "%Y-%m-%dT%H:%M:%S.%fZ"
    return rf"""
case when t is null then null
     when regexp_full_match(t, '-?[0-9]{{9,13}}') then strftime({_epoch("UTC")}, '{pattern}')
     when regexp_full_match(t, '[0-9-]{{8,10}}[T ][0-9:.]+ ?(Z|UTC|[+-][0-9:]{{2,5}})')
     then coalesce(strftime(timezone('UTC', {_MOMENT}), '{pattern}'), t)
     when regexp_full_match(t, '[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}([T ][0-9:.]+)?')
     then coalesce(strftime({naive}, '{pattern}'), t)
     else {_own_format(system, pattern)} end"""


def _from_minor(system: System) -> str:
    """Integers in minor units to major units, by ISO 4217 and the system's exceptions to it."""
    units = MINOR_UNITS | {c.upper(): int(n) for c, n in system.settings.get("minor_units", {}).items()}
    arms = " ".join(
        f"when upper(ccy) in ({', '.join(literal(c) for c in sorted(units) if units[c] == n)}) then {scale}"
        for n, scale in (
            (0, "cast(1 as decimal(5, 4))"),
            (2, "cast(0.01 as decimal(5, 4))"),
            (3, "cast(0.001 as decimal(5, 4))"),
            (4, "cast(0.0001 as decimal(5, 4))"),
        )
    )
    return (
        r"case when regexp_full_match(t, '-?[0-9]{1,16}(\.[0-9]{1,10})?') then coalesce(cast("
        f"try_cast(t as decimal(28, 10)) * (case {arms} end) as varchar), t) else t end"
    )
