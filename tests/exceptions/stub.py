"""A publication with a small queue, made without a run: what the commands read."""

import duckdb

from finpipe.publish import Stamps, publish
from finpipe.settings import Home
from finpipe.warehouse import connect
from tests.line import load_and_conform

_EXCEPTIONS = """
create or replace table marts.exceptions as
select id as exception_id, origin, leg, code, 'its cause' as cause, severity, severity = 'blocking' as is_blocking,
    owner,
    8 as sla_hours, l as left_key, r as right_key, 'erp:1' as legal_entity_id, null::varchar as customer_id,
    currency, amount::decimal(18, 4) as amount, 'Apr 2025' as period, date '2025-04-30' as happened_on, sentence,
    'open' as state, null::varchar as assigned_to, null::varchar as prepared_by, null::varchar as approved_by,
    null::varchar as waiver, null::date as waived_until_on, severity = 'blocking' as needs_second_person,
    date '2025-06-30' as first_seen_on, date '2025-06-30' as open_since_on, date '2025-06-30' as last_seen_on,
    1::bigint as spell, timestamp '2025-06-30 17:00:00' as due_at, 0 as hours_open, 'owner' as escalation
from (values
    ('e1aa', 'R05', 'billing-erp', 'INV-AMOUNT', 'blocking', 'ar', 'billing:in_1', 'erp:1', 'USD', -3, 'said'),
    ('e2bb', 'gate', 'salesforce/opportunities', 'DQ-RULE', 'material', 'revops', 'salesforce/opportunity#1#1', 'crm:1',
        null, null, 'bad'),
    ('e2cc', 'gate', 'salesforce/customers', 'DQ-RULE', 'material', 'revops', 'salesforce/account#1#1', null, null,
        null, 'bad')
) as q (id, origin, leg, code, severity, owner, l, r, currency, amount, sentence)"""
_HISTORY = """
create or replace table marts.exception_history as
select id || '/1/' || event as event_id, id as exception_id, event, 1::bigint as spell, day::date as as_of_on,
    null::timestamptz as decided_at, 'the data' as decided_by, null::varchar as reason, 'in force' as verdict,
    null::varchar as why, 'INV-AMOUNT' as code, 'billing-erp' as leg, 'ar' as owner, 'USD' as currency,
    1::decimal(18, 4) as amount, 'said' as sentence, false as is_landed
from (values ('e1aa', 'seen', '2025-06-30'), ('e2bb', 'seen', '2025-06-30'), ('c0ff', 'seen', '2025-05-31'),
    ('c0ff', 'gone', '2025-06-30')) as h (id, event, day)"""


def publish_queue(home: Home) -> Home:
    """Publish three open exceptions and one that the data closed."""
    load_and_conform(home)
    with connect(home) as connection:
        _fill(connection)
        head = connection.execute("select coalesce(max(load_seq), 0) from ledger.loads").fetchall()[0][0]
        publish(home, connection, Stamps("2025-06-30", head, "h", "v", 1))
    return home


def _fill(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(_EXCEPTIONS)
    connection.execute(_HISTORY)
    connection.execute(
        "insert into quarantine.rows by name select 'salesforce' as system, 'opportunities' as entity, "
        "'crm:1' as row_key, 'opportunity' as source_table, 1 as load_seq, 1 as row_number, "
        "'DQ-RULE' as code, 'bad' as reasons, "
        """'{"opportunity_id": "crm:1", "amount": "1,000", "currency": "USD"}' as "row", 'revops' as owner"""
    )
