-- Products of an opportunity. TotalPrice is the line's whole contracted value, after its discount.
with corporate as (
    select coalesce(
        (
            select min(iso_code) from currency_type
            where is_true(is_corporate) = 'true' and not _deleted
        ),
        getvariable('corporate_currency')
    ) as currency
)

select
    key('crm', l.id) as opportunity_line_id,
    key('crm', l.opportunity_id) as opportunity_id,
    key('crm', l.product2_id) as product_id,
    coalesce(l.description, l.name) as description,
    case
        when l.charge_kind is null then null
        when lower(l.charge_kind) in ('recurring', 'subscription', 'renewable') then 'recurring'
        when lower(l.charge_kind) in ('one-time', 'one time', 'onetime', 'one_time', 'non-recurring') then 'one_time'
        when lower(l.charge_kind) in ('usage', 'consumption', 'metered') then 'usage'
        else l.charge_kind
    end as charge_kind,
    l.quantity,
    l.unit_price,
    l.total_price as total_amount,
    -- A line has its opportunity's currency, and many extracts leave it out.
    coalesce(l.currency_iso_code, o.currency_iso_code, corporate.currency) as currency,
    iso_date(l.service_date) as starts_on,
    iso_date(l.line_end) as ends_on,
    l.line_term as term_months,
    iso_instant(coalesce(l.system_modstamp, l.last_modified_date)) as valid_from,
    -- Deleting an opportunity puts its lines in the bin without touching their own records.
    l._deleted or coalesce(o._deleted, false) as is_deleted,
    'opportunity_line_item' as source_table,
    l._load_seq as load_seq,
    l._row as row_number
from opportunity_line_item as l
cross join corporate
left join opportunity as o on l.opportunity_id = o.id
