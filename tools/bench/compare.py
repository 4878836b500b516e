"""Is it the same result?  Asked before any time counts.

Belongs here: row counts per landed file, and totals of the three subjects, of two databases.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

SUBJECTS = ("bookings", "billings", "collections")


class DifferentError(Exception):
    """Two ways gave different results: their times say nothing."""


def same_rows(files: Sequence[int], native: Path, warehouse: Path) -> int:
    """Compare the rows of each landed file; returns how many there are in all."""
    with duckdb.connect(str(native), read_only=True) as connection:
        one = {n: connection.execute(f"select count(*) from n{n}").fetchall()[0][0] for n in files}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        two = dict(
            connection.execute(
                "select t.load_seq, t.rows from ledger.loaded_tables t join ledger.loads l "
                "on l.load_seq = t.load_seq and l.table_name = t.table_name"
            ).fetchall()
        )
    if one != two:
        wrong = {n: (one[n], two.get(n)) for n in one if one[n] != two.get(n)}
        raise DifferentError(f"rows by landed file, native and loaded: {wrong}")
    return sum(one.values())


def same_totals(hand: Path, warehouse: Path) -> dict[str, dict[str, str]]:
    """Compare rows and the sum of every amount of bookings, billings and collections; returns them."""
    one, two = _totals(hand), _totals(warehouse)
    if one != two:
        wrong = [(s, c, v, two[s].get(c)) for s, sums in one.items() for c, v in sums.items() if v != two[s].get(c)]
        raise DifferentError(f"totals by hand and of finpipe: {wrong}")
    return one


def _totals(path: Path) -> dict[str, dict[str, str]]:
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for subject in SUBJECTS:
            table = f"marts.{subject}"
            described = connection.execute(f"describe {table}").fetchall()
            amounts = [r[0] for r in described if r[1].startswith("DECIMAL") and r[0].endswith("amount")]
            sums = ", ".join(f"sum({a})::varchar" for a in amounts)
            row = connection.execute(f"select count(*)::varchar, {sums} from {table}").fetchall()[0]
            found[subject] = dict(zip(["rows", *amounts], row, strict=True))
    return found
