"""A JSON file as text columns of each table that it feeds: lines, arrays, list pages, events, one pretty object.

Belongs here: JSON.  How aliases find members: ``json_paths``; numbers too long for a double: ``exact_json``.

Each object feeds the table that its kind names (``[json] kind``), else the one that the file's name says; rows of a
table with ``embedded`` are also taken from lists inside its parent's objects (``^member`` = the parent's, ``#`` =
position).
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest import limits
from finpipe.ingest.exact_json import malformed, rewritten
from finpipe.ingest.extract import Job, Page, Part, Rows, refuse_missing, write_part
from finpipe.ingest.json_paths import extraction, json_path, path_list
from finpipe.ingest.plain import json_needs_care
from finpipe.ingest.recognise import MIXED, kind_member, tables_by_kind
from finpipe.systems import Table
from finpipe.warehouse import literal


@dataclass(frozen=True)
class Shape:
    """Objects of a file that have the same members and kind."""

    keys: tuple[str, ...]
    kind: str | None
    count: int


def read_json(job: Job, plain: Path) -> list[Part]:
    """One part per table that the file feeds; raises ``FinpipeError`` when the file is not sound."""
    if json_needs_care(plain, job.name):
        plain = rewritten(plain, job.name, job.folder)
    try:
        relation = _objects(job, plain)
        shapes = _shapes(job, relation)
        page = None
        if _wrapped(job, shapes):
            page = _page(job, relation)
            relation = _unwrap(job, relation)
            shapes = _shapes(job, relation)
        _refuse_repeated_members(job, shapes)
        return [replace(part, page=page) for part in _parts(job, relation, shapes)]
    except (duckdb.InvalidInputException, duckdb.ConversionException) as problem:
        raise _told(job, str(problem)) from None


def _told(job: Job, message: str) -> FinpipeError:
    """DuckDB's message as a sentence of ours."""
    first = message.split("\n", 1)[0].removeprefix("Invalid Input Error: ")
    if "maximum_object_size" in message:
        return FinpipeError(
            "a JSON object is too large",
            where=job.name,
            got=f"more than {limits.MAX_JSON_OBJECT_BYTES:,} bytes",
            fix="export JSON lines or smaller pages",
        )
    return malformed(job.name, first.split('", ', 1)[-1])


def _objects(job: Job, plain: Path) -> str:
    """The file's values as a relation ``(json)``, in file order."""
    with plain.open("rb") as file:
        start = file.read(limits.PEEK_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    size = plain.stat().st_size
    shape, most = "unstructured", min(max(size + 1, limits.MEGABYTE), limits.MAX_JSON_OBJECT_BYTES)
    if start.startswith(b"["):
        shape, most = "array", min(most, limits.MAX_JSON_OBJECT_BYTES // 4)
    elif _is_line(start.split(b"\n", 1)[0]):
        shape, most = "newline_delimited", most if b"\n" not in start else min(most, 16 * limits.MEGABYTE)
    scan = f"read_json_objects({literal(plain)}, format = '{shape}', maximum_object_size = {most})"
    if start and not start.startswith((b"[", b"{")):
        raise malformed(job.name, f"it starts with byte 0x{start[:1].hex()}" if start else "it is empty")
    return scan


def _is_line(line: bytes) -> bool:
    """Whether a line is a whole JSON value; an unfinished long first line counts as one."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return len(line) >= limits.PEEK_BYTES // 2
    return True


def _shapes(job: Job, relation: str) -> list[Shape]:
    """Which members the objects have; refuses values that are no objects."""
    member = kind_member(job.system)
    kind = f"json_extract_string(json, {literal(json_path(member.split('.')))})" if member else "null"
    # Names as one text: grouping by lists costs twice as much.
    members = "to_json(json_keys(json))::varchar"
    found = job.connection.execute(f"select {members}, {kind}, count(*) from {relation} group by all").fetchall()
    rows = [(json.loads(keys or "[]"), kind, count) for keys, kind, count in found]
    if any(not keys for keys, _, _ in rows):
        _refuse_scalars(job, relation)
    return sorted(
        (Shape(tuple(keys), kind, count) for keys, kind, count in rows),
        key=lambda s: (s.kind or "", s.keys),
    )


def _refuse_scalars(job: Job, relation: str) -> None:
    strange = job.connection.execute(
        f"select json_type(json) from {relation} where json_type(json) is distinct from 'OBJECT' limit 1"
    ).fetchall()
    if strange:
        raise malformed(job.name, f"a value is {str(strange[0][0]).lower()}, not an object")


def _refuse_repeated_members(job: Job, shapes: Sequence[Shape]) -> None:
    for shape in shapes:
        if repeated := [k for k, n in Counter(shape.keys).items() if n > 1]:
            raise FinpipeError(
                "an object has a member twice",
                where=job.name,
                got=", ".join(repeated),
                fix="export it again: which of the two counts cannot be known",
            )


def _records(job: Job) -> tuple[str, ...]:
    return tuple(job.system.settings.get("json", {}).get("records", ("records", "items", "data")))


def _wrapped(job: Job, shapes: Sequence[Shape]) -> bool:
    """Whether some objects are list pages or events around the rows."""
    return any(
        s.kind == "event" or ("object" in s.keys and "data" in s.keys) or not set(s.keys).isdisjoint(_records(job))
        for s in shapes
    )


def _page(job: Job, relation: str) -> Page | None:
    """What the file's pages say of the whole, where the system's description names the members that say it."""
    said = job.system.settings.get("json", {})
    if "page_total" not in said:
        return None
    total, offset = (
        f"try_cast(json_extract_string(json, {literal(json_path([m]))}) as bigint)" if m else "null::bigint"
        for m in (said["page_total"], said.get("page_offset"))
    )
    ((stated, first),) = job.connection.execute(f"select max({total}), min({offset}) from {relation}").fetchall()
    return None if stated is None else Page(stated, first)


def _unwrap(job: Job, relation: str) -> str:
    """Rows of pages and objects of events, staged in file order; other objects stay themselves.

    Events are staged in the order in which they happened, for lists of them come newest first: of two states of one
    object the later must be the later row.
    """
    cases = [
        f"when json_type(json, {literal(json_path([r]))}) = 'ARRAY' "
        f"then json_extract(json, {literal(json_path([r]) + '[*]')})"
        for r in _records(job)
    ]
    pages = f"select unnest(case {' '.join(cases)} else [json] end) as json from {relation}"
    is_event = "json_extract_string(json, '$.object') = 'event' and json_type(json, '$.data.object') = 'OBJECT'"
    job.connection.execute(
        "create or replace temp table unwrapped as with placed as (select json, row_number() over () as place, "
        f"{is_event} as is_event from ({pages})) "
        "select case when is_event then json_extract(json, '$.data.object') else json end as json from placed order by "
        "case when is_event then try_cast(json_extract_string(json, '$.created') as bigint) end nulls first, place"
    )
    return "unwrapped"


def _parts(job: Job, relation: str, shapes: Sequence[Shape]) -> list[Part]:
    """Rows of every table that the objects feed directly, and of those embedded in them."""
    by_table: dict[str, list[Shape]] = {}
    for shape in shapes:
        if name := _target(job, shape.kind):
            by_table.setdefault(name, []).append(shape)
    fed = list(by_table) + [
        t.name for t in job.system.tables.values() if t.name not in by_table and _parents(t, by_table)
    ]
    if not fed:
        return _nothing(job, shapes)
    if len(fed) > 2 and relation != "unwrapped":
        job.connection.execute(f"create or replace temp table unwrapped as select json from {relation}")
        relation = "unwrapped"
    notes = _left_out(job, shapes)
    parts = []
    for name in fed:
        table = job.system.tables[name]
        origins = _own(job, table, relation, by_table.get(name, []), shapes)
        for parent, path in _parents(table, by_table):
            origins += _embedded(job, table, relation, (by_table[parent], shapes), path)
        if origins:
            parts.append(write_part(job, table, origins))
    return [Part(p.table, p.path, p.rows, notes if i == 0 else ()) for i, p in enumerate(parts)]


def _target(job: Job, kind: str | None) -> str | None:
    """The table that an object of a kind feeds; None leaves it out."""
    known = tables_by_kind(job.system)
    if kind in known:
        return known[kind].name
    named = job.system.tables.get(job.label)
    if named is None or (kind is not None and kind_member(job.system) and named.kind):
        return None
    return named.name


def _parents(table: Table, by_table: dict[str, list[Shape]]) -> list[tuple[str, str]]:
    """Parents in this file that may hold rows of the table: (parent table, path of the list)."""
    found = []
    for place in table.embedded:
        parent, _, path = place.partition(".")
        keys = {k for s in by_table.get(parent, ()) for k in s.keys}
        if path.split(".")[0].split("[")[0] in keys:
            found.append((parent, path))
    return found


def _filter(job: Job, chosen: Sequence[Shape], shapes: Sequence[Shape]) -> str:
    """The condition that picks the objects of chosen shapes out of all; empty when all are."""
    kinds = {s.kind for s in chosen}
    member = kind_member(job.system)
    if member is None or kinds == {s.kind for s in shapes}:
        return ""
    kind = f"json_extract_string(json, {literal(json_path(member.split('.')))})"
    named = ", ".join(literal(k) for k in sorted(k for k in kinds if k is not None))
    tests = ([f"{kind} in ({named})"] if named else []) + ([f"{kind} is null"] if None in kinds else [])
    return f" where {' or '.join(tests)}"


def _own(job: Job, table: Table, relation: str, chosen: list[Shape], shapes: Sequence[Shape]) -> list[Rows]:
    """The table's rows among the objects themselves."""
    if not chosen:
        return []
    keys = list(dict.fromkeys(k for s in chosen for k in s.keys))
    found = extraction(table, keys, None)
    refuse_missing(job, table, found.values, keys)
    where = _filter(job, chosen, shapes)
    return [
        Rows(
            found.values,
            f"(select json_extract_string(json, {path_list(found.own)}) as v from {relation}{where})",
        )
    ]


def _embedded(
    job: Job, table: Table, relation: str, parents: tuple[list[Shape], Sequence[Shape]], path: str
) -> list[Rows]:
    """The table's rows inside a list of the parent's objects."""
    chosen, shapes = parents
    items = f"json_extract(json, {literal(json_path(path.split('.')) + '[*]')})"
    where = _filter(job, chosen, shapes)
    rows = job.connection.execute(
        f"select distinct json_keys(json) from (select unnest({items}) as json from {relation}{where})"
    ).fetchall()
    keys = sorted({k for (row,) in rows for k in row or ()})
    if not keys:
        return []
    found = extraction(table, keys, [k for s in chosen for k in s.keys])
    refuse_missing(job, table, found.values, keys)
    parent = f"json_extract_string(json, {path_list(found.parent)}::varchar[])" if found.parent else "null"
    extracted = (
        f"(select json_extract_string(json, {path_list(found.own)}) as v, position, p from ("
        "select unnest(items) as json, generate_subscripts(items, 1) as position, p from ("
        f"select {items} as items, {parent} as p from {relation}{where})) where json_type(json) = 'OBJECT')"
    )
    return [Rows(found.values, extracted)]


def _left_out(job: Job, shapes: Sequence[Shape]) -> tuple[str, ...]:
    """A note of objects whose kind no table has."""
    out: Counter[str] = Counter()
    for shape in shapes:
        if _target(job, shape.kind) is None:
            out[shape.kind or "no kind"] += shape.count
    if not out:
        return ()
    named = ", ".join(f"{k} ({n:,})" for k, n in sorted(out.items()))
    return (f"left out {sum(out.values()):,} objects of kinds that no table has: {named}",)


def _nothing(job: Job, shapes: Sequence[Shape]) -> list[Part]:
    """A file without any row of a table: fine when it is an empty list, else refused."""
    table = job.system.tables.get(job.label)
    if not shapes and table is not None:
        return [write_part(job, table, [Rows({}, "(select 1 where false)")])]
    if not shapes and job.label == MIXED:
        return []
    raise FinpipeError(
        f"no object in this file feeds a table of {job.system.name}",
        where=job.name,
        got="; ".join(_left_out(job, shapes)),
        fix="known kinds: " + ", ".join(sorted(tables_by_kind(job.system))),
    )
