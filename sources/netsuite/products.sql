-- Items: what invoices bill, and also the discount, tax and subtotal items that shape a document.
select
    key('erp', id) as product_id,
    coalesce(displayname, fullname, itemid) as name,
    itemid as product_code,
    itemtype as family,
    case
        when charge_kind is null then null
        when lower(charge_kind) in ('recurring', 'subscription') then 'recurring'
        when lower(charge_kind) in ('one-time', 'one time', 'onetime', 'one_time') then 'one_time'
        when lower(charge_kind) in ('usage', 'consumption', 'metered') then 'usage'
        else charge_kind
    end as charge_kind,
    case is_true(isinactive) when 'true' then 'false' when 'false' then 'true' else isinactive end as is_active,
    iso_instant(lastmodifieddate) as valid_from,
    _deleted or date_deleted is not null as is_deleted,
    'item' as source_table,
    _load_seq as load_seq,
    _row as row_number
from item
