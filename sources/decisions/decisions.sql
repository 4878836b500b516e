-- One row per decision.
select
    key('decisions', id) as decision_id,
    kind,
    subject,
    trim(decided_by) as decided_by,
    iso_instant(decided_at) as decided_at,
    iso_date(as_of_on) as as_of_on,
    reason,
    payload,
    iso_instant(decided_at) as valid_from,
    false as is_deleted,
    'decision' as source_table,
    _load_seq as load_seq,
    _row as row_number
from decision
