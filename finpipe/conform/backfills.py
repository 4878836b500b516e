"""The log of backfills: figures that were published once and are others now, by decision.

Belongs here: ``ledger.backfills``, made anew from what was decided.  Does not belong here: finding what differs.
It follows from landing like everything else, so a rebuilt warehouse has the same log.
"""

import duckdb

_SAID = {
    "measure": "varchar",
    "period": "varchar",
    "period_ends_on": "date",
    "legal_entity_id": "varchar",
    "currency": "varchar",
    "before_amount": "decimal(18, 4)",
    "after_amount": "decimal(18, 4)",
    "cause": "varchar",
}


def write_backfills(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the log anew, in the order of decisions; what a payload does not say stays empty, no line is left out."""
    parts = ", ".join(
        f"try_cast(json_extract_string(said, '$.{name.removesuffix('_amount')}') as {kind}) as {name}"
        for name, kind in _SAID.items()
    )
    connection.execute(f"""
        create or replace table ledger.backfills as
        select decision_id, {parts}, reason as because, decided_by as restated_by,
            json_extract_string(said, '$.approved_by') as approved_by, decided_at as restated_at, as_of_on,
            try_cast(json_extract_string(said, '$.publication') as bigint) as restated_publication
        from (
            select *, case when json_valid(payload) then cast(payload as json) end as said
            from canonical.decisions where kind = 'restate' and not is_deleted
        )
        order by decided_at, decision_id""")
