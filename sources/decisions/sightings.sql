-- One row per exception that entered or left the queue.
select
    key('decisions', concat_ws('/', exception_id, spell, event)) as sighting_id,
    exception_id,
    event,
    spell,
    iso_date(as_of_on) as as_of_on,
    code,
    leg,
    owner,
    currency,
    amount,
    sentence,
    iso_instant(as_of_on) as valid_from,
    false as is_deleted,
    'sighting' as source_table,
    _load_seq as load_seq,
    _row as row_number
from sighting
