-- Currencies. `symbol` is the ISO code; the sign that is printed is another field.
select
    key('erp', id) as currency_id,
    symbol as code,
    name,
    currencyprecision as minor_units,
    is_true(isbasecurrency) as is_base,
    iso_instant(lastmodifieddate) as valid_from,
    _deleted or date_deleted is not null as is_deleted,
    'currency' as source_table,
    _load_seq as load_seq,
    _row as row_number
from currency
