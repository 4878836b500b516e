"""Which tables and checks stand, so that a build touches only what something new can reach.

Belongs here: the account of it, ``ledger.built``, and what tables that no model makes say.
Does not belong here: the decision, which falls while dbt builds (``dbt_project/macros/standing.sql``).
A table stands while its SQL, the code and everything it reads are what they were; a kill leaves it unknown, and what is
unknown is built.
"""

import duckdb

from finpipe.build.manifest import kept

_BUILT = "create table if not exists ledger.built (name varchar, inputs varchar, says varchar)"


def note_sources(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Write down what each table says that models read and none makes; returns those that say something new.

    Asked anew each time, for it costs next to nothing beside a build.
    """
    connection.execute(_BUILT)
    changed = set()
    for name in kept().inputs:
        says = connection.execute(
            f"select concat_ws(' ', count(*), sum(hash(said)::hugeint), bit_xor(hash(said))) from {name} as said"
        ).fetchall()[0][0]
        if connection.execute("select 1 from ledger.built where name = ? and says = ?", [name, says]).fetchall():
            continue
        changed.add(name)
        connection.execute("delete from ledger.built where name = ?", [name])
        connection.execute("insert into ledger.built values (?, null, ?)", [name, says])
    return changed


def reached(connection: duckdb.DuckDBPyConnection, changed: set[str]) -> list[str]:
    """Models and checks, by dbt's unique id, that follow from what changed or are not known to stand.

    Views are left out: they change with the code only, and then everything is asked.
    """
    known = {row[0] for row in connection.execute("select name from ledger.built where inputs is not null").fetchall()}
    touched, nodes = set(changed), []
    for model in kept().in_order:
        stands = model.kind == "view" or model.table in known
        if stands and not touched.intersection(model.reads):
            continue
        touched.add(model.table)
        if model.kind != "view":
            nodes.append(model.unique_id)
    return nodes + [
        check.unique_id
        for check in kept().checks.values()
        if check.unique_id not in known or touched.intersection({check.table, *check.reads})
    ]


def start_over(connection: duckdb.DuckDBPyConnection) -> None:
    """Let nothing stand: the next build makes everything."""
    connection.execute("drop table if exists ledger.built")
