-- Products of the price books.
select
    key('crm', id) as product_id,
    name,
    product_code,
    family,
    -- The company's own words for how it charges; words beyond these reach the gate and are refused.
    case
        when charge_kind is null then null
        when lower(charge_kind) in ('recurring', 'subscription', 'renewable') then 'recurring'
        when lower(charge_kind) in ('one-time', 'one time', 'onetime', 'one_time', 'non-recurring') then 'one_time'
        when lower(charge_kind) in ('usage', 'consumption', 'metered') then 'usage'
        else charge_kind
    end as charge_kind,
    is_true(is_active) as is_active,
    iso_instant(coalesce(system_modstamp, last_modified_date)) as valid_from,
    _deleted as is_deleted,
    'product2' as source_table,
    _load_seq as load_seq,
    _row as row_number
from product2
