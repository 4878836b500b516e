"""The tables as files that every tool can read, and whether a tool loaded them as they are.

Belongs here: writing the files (not measured) and comparing: rows, sums of numbers, fingerprints of texts.
Landed CSV files are handed over as they came. JSON objects are opened first, nested lists left as JSON text: a gift to
the tools, which would open them row by row.
"""

import os
import re
from pathlib import Path

import duckdb

from finpipe.ingest.landing import Manifest, manifests
from finpipe.ingest.names import squash
from finpipe.settings import Home
from finpipe.systems import find_systems
from finpipe.warehouse import literal, quoted

_PLAIN_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"
#: Loaded types whose values are written otherwise than in the file: they are counted.
_TEXTS = "texts of "
_UNTEXTED = re.compile("TIMESTAMP|DATE|BOOLEAN|TIME")


def write_tables(home: Home, hand: Path, folder: Path) -> int:
    """One CSV file for each table that the landed files hold; ``hand`` is a database that read them. Returns rows."""
    folder.mkdir()
    flat = _flat_files(home)
    rows = 0
    with duckdb.connect(str(hand), read_only=True) as connection:
        for system in find_systems(home).values():
            for table in system.tables.values():
                source = f"latest_{system.name}.{quoted(table.name)}"
                count = connection.execute(f"select count(*) from {source}").fetchall()[0][0]
                target = folder / f"{system.name}__{table.name}.csv"
                if count and (system.name, table.name) in flat:
                    os.link(flat[system.name, table.name].path(home), target)
                elif count:
                    names = ", ".join(map(quoted, table.column_names))
                    connection.execute(
                        f"copy (select {names} from {source} order by _row) to {literal(target)} (header)"
                    )
                rows += count
    return rows


def _flat_files(home: Home) -> dict[tuple[str, str], Manifest]:
    """Tables that came as one CSV file."""
    found: dict[tuple[str, str], list[Manifest]] = {}
    for landed in manifests(home):
        found.setdefault((landed.system, landed.table), []).append(landed)
    return {key: one[0] for key, one in found.items() if len(one) == 1 and one[0].file.endswith(".csv")}


def loaded_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Squashed name of a file's table → the relation of the database ``loaded`` that holds it, in whatever schema."""
    asked = "select schema_name, table_name from duckdb_tables() where database_name = 'loaded'"
    return {squash(t): f"loaded.{quoted(s)}.{quoted(t)}" for s, t in connection.execute(asked).fetchall()}


def differences(folder: Path, database: Path) -> list[str]:
    """What a tool loaded otherwise than the files say, one sentence each; nothing when all is as it is."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(database)} as loaded (read_only)")
        there = loaded_tables(connection)
        found = []
        for path in sorted(folder.glob("*.csv")):
            relation = there.get(squash(path.stem))
            found += _differences(connection, path, relation) if relation else [f"{path.stem}: not there"]
        return found


def _differences(connection: duckdb.DuckDBPyConnection, path: Path, relation: str) -> list[str]:
    file = f"read_csv({literal(path)}, all_varchar = true, header = true)"
    types = {r[0]: r[1] for r in connection.execute(f"describe {relation}").fetchall()}
    loaded = {squash(name): name for name in types}
    names = [r[0] for r in connection.execute(f"describe from {file}").fetchall()]
    said, ours, theirs = ["rows"], ["count(*)"], ["count(*)"]
    numbers = _numbers(connection, file, names)
    for name in names:
        other = loaded.get(squash(name))
        if other is None:
            said, ours, theirs = [*said, f"{name} is missing"], [*ours, "0"], [*theirs, "1"]
            continue
        what, one, two = _compared(name, other, types[other], is_number=name in numbers)
        said, ours, theirs = [*said, what], [*ours, one], [*theirs, two]
    truth = connection.execute(f"select {', '.join(ours)} from {file}").fetchall()[0]
    got = connection.execute(f"select {', '.join(theirs)} from {relation}").fetchall()[0]
    wrong = [(w, a, b) for w, a, b in zip(said, truth, got, strict=True) if a != b]
    return [f"{path.stem}: {_sentence(connection, w, a, b, file, relation, loaded)}" for w, a, b in wrong]


def _sentence(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    truth: str,
    got: str,
    file: str,
    relation: str,
    loaded: dict[str, str],
) -> str:
    """What differs; of texts, whose fingerprints say nothing, an example."""
    if not what.startswith(_TEXTS):
        return f"{what} is {got} and not {truth}"
    name = what.removeprefix(_TEXTS)
    asked = "select min(nullif({}::varchar, '')) from {}"
    one = connection.execute(asked.format(quoted(name), file)).fetchall()[0][0]
    two = connection.execute(asked.format(quoted(loaded[squash(name)]), relation)).fetchall()[0][0]
    return f"{what} are others: {one!r} is not there, {two!r} is" if one != two else f"{what} are others"


def _numbers(connection: duckdb.DuckDBPyConnection, file: str, names: list[str]) -> set[str]:
    """Columns in which every value is a plain number; ids with leading zeros are none."""
    tests = [f"coalesce(bool_and(regexp_full_match({quoted(n)}, '{_PLAIN_NUMBER}')), false)" for n in names]
    said = connection.execute(f"select {', '.join(tests)} from {file}").fetchall()[0]
    return {name for name, is_number in zip(names, said, strict=True) if is_number}


def _compared(name: str, other: str, loaded_type: str, *, is_number: bool) -> tuple[str, str, str]:
    """What is compared of a column, and how it is asked of the file and of what was loaded."""
    ours, theirs = quoted(name), f"nullif({quoted(other)}::varchar, '')"
    if is_number:
        sums = "sum(try_cast({} as decimal(38, 9)))::varchar"
        return f"sum of {name}", sums.format(ours), sums.format(theirs)
    if _UNTEXTED.match(loaded_type):
        return f"filled {name}", f"count(nullif({ours}, ''))", f"count({theirs})"
    mark = "coalesce(bit_xor(hash({})), 0)::varchar"
    return f"{_TEXTS}{name}", mark.format(f"nullif({ours}, '')"), mark.format(theirs)
