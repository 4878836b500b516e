"""The record behind an exception, for a fix: its entity, its key, and what its cells say now.

Belongs here: finding them in the publication.  Does not belong here: applying a fix (``finpipe.conform.fixes``).
"""

import json
from collections.abc import Sequence
from typing import Any

import click

from finpipe.cli.queue import rows
from finpipe.errors import FinpipeError
from finpipe.settings import Home
from finpipe.warehouse import literal, quoted


def overlay(home: Home, found: dict[str, Any], cells: Sequence[str], row: str | None) -> dict[str, Any]:
    """The payload of a fix: entity, key, what its cells say now and what they should say.

    Raises ``FinpipeError`` when the record or a column is not there.
    """
    from finpipe.contracts import entities, key_of, own_columns  # noqa: PLC0415 - pandera is dear

    given = dict(_cell(text) for text in cells)
    entity, key = _record(home, found, row)
    contract = entities()[entity]
    known = [c.name for c in own_columns(contract) if c.name != key_of(contract)]
    if strange := sorted(set(given) - set(known)):
        raise FinpipeError(
            f"{entity} has no such column to fix",
            where=f"exception {found['exception_id']}",
            got=", ".join(strange),
            fix=f"columns: {', '.join(known)}",
        )
    now = _now(home, entity, key_of(contract), key)
    return {"entity": entity, "row_key": key, "was": {c: now.get(c) for c in given}, "set": given}


def _cell(text: str) -> tuple[str, str | None]:
    column, sign, value = text.partition("=")
    if not sign or not column.strip():
        raise click.BadParameter(f"--set takes COLUMN=VALUE, not {text!r}")
    return column.strip(), value.strip() or None


def _record(home: Home, found: dict[str, Any], row: str | None) -> tuple[str, str]:
    """Entity and key of the record that is meant."""
    if found["origin"] == "gate" and row is None:
        if found["right_key"] is None:
            raise _unclear(found, "the refused row has no key: mend it in the source", [])
        return str(found["leg"]).partition("/")[2], str(found["right_key"])
    keys = [row] if row else [k for k in (found["left_key"], found["right_key"]) if k]
    there = [(entity, key) for key in keys for entity in _entities_with(home, key)]
    if len(there) != 1:
        what = "no record of this key is known" if not there else "several records could be meant"
        raise _unclear(found, what, [f"{key} in {entity}" for entity, key in there] or keys)
    return there[0]


def _entities_with(home: Home, key: str) -> list[str]:
    """Entities that have an accepted or refused record of this key."""
    from finpipe.contracts import entities, key_of  # noqa: PLC0415

    each = [
        f"select {literal(name)} as entity from canonical.{name} where {key_of(entity)} = {literal(key)}"
        for name, entity in entities().items()
    ]
    each.append(f"select entity from quarantine.rows where row_key = {literal(key)}")
    return [row["entity"] for row in rows(home, " union ".join(each) + " order by entity")]


def _now(home: Home, entity: str, key_column: str, key: str) -> dict[str, str | None]:
    """What the source says in each column: refused row, accepted row, and beneath any fix that holds already."""
    mine = f"entity = {literal(entity)} and row_key = {literal(key)}"
    refused = rows(
        home, f'select "row" from quarantine.rows where {mine} order by load_seq desc, row_number desc limit 1'
    )
    if refused:
        said = json.loads(refused[0]["row"])
    else:
        accepted = rows(home, f"select * from canonical.{quoted(entity)} where {key_column} = {literal(key)}")
        said = accepted[0] if accepted else {}
    beneath = rows(home, f"select column_name, was from quarantine.fixes where verdict = 'applied' and {mine}")
    return {k: _text(v) for k, v in said.items()} | {f["column_name"]: f["was"] for f in beneath}


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _unclear(found: dict[str, Any], error: str, got: Sequence[str]) -> FinpipeError:
    return FinpipeError(
        error,
        where=f"exception {found['exception_id']}",
        got="; ".join(got),
        fix="name the record: --row KEY, as canonical entities write it (billing:in_1)",
    )
