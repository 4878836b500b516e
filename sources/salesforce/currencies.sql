-- Currencies of a multi-currency org.
select
    key('crm', iso_code) as currency_id,
    iso_code as code,
    decimal_places as minor_units,
    is_true(is_corporate) as is_base,
    iso_instant(coalesce(system_modstamp, last_modified_date)) as valid_from,
    _deleted as is_deleted,
    'currency_type' as source_table,
    _load_seq as load_seq,
    _row as row_number
from currency_type
