-- One row per figure that was stored when a period was locked.
select
    key('decisions', id) as closing_id,
    close_id,
    legal_entity_id,
    iso_date(period_ends_on) as period_ends_on,
    measure,
    kind,
    iso_date(origin_ends_on) as origin_ends_on,
    part,
    document_id,
    label,
    currency,
    amount,
    functional_currency,
    functional_amount,
    iso_instant(period_ends_on) as valid_from,
    false as is_deleted,
    'closing' as source_table,
    _load_seq as load_seq,
    _row as row_number
from closing
