-- Opportunities. The amount may be empty until the deal is priced.
with corporate as (
    select coalesce(
        (
            select min(iso_code) from currency_type
            where is_true(is_corporate) = 'true' and not _deleted
        ),
        getvariable('corporate_currency')
    ) as currency
),

-- Stages decide only where the extract has no IsWon or IsClosed: stages are a company's own words, flags are not.
stages as (
    select
        list_transform(string_split(getvariable('won_stages'), ','), lambda s: lower(trim(s))) as won,
        list_transform(string_split(getvariable('lost_stages'), ','), lambda s: lower(trim(s))) as lost
),

judged as (
    select
        o.*,
        is_true(o.is_won) as won_flag,
        is_true(o.is_closed) as closed_flag,
        list_contains(stages.won, lower(trim(o.stage_name))) as is_won_stage,
        list_contains(stages.lost, lower(trim(o.stage_name))) as is_lost_stage
    from opportunity as o
    cross join stages
)

select
    key('crm', o.id) as opportunity_id,
    key('crm', o.account_id) as customer_id,
    key('crm', o.contract_id) as contract_id,
    key('erp', o.erp_order_ref) as order_ref,
    o.name,
    o.stage_name as stage,
    o.type,
    o.amount,
    coalesce(o.currency_iso_code, corporate.currency) as currency,
    iso_date(o.close_date) as closes_on,
    iso_date(o.signed_on) as signed_on,
    coalesce(
        o.closed_flag,
        case when o.won_flag = 'true' or o.is_won_stage or o.is_lost_stage then 'true' else 'false' end
    ) as is_closed,
    coalesce(o.won_flag, case when o.is_won_stage then 'true' else 'false' end) as is_won,
    iso_instant(o.created_date) as created_at,
    iso_instant(coalesce(o.system_modstamp, o.last_modified_date)) as valid_from,
    o._deleted as is_deleted,
    'opportunity' as source_table,
    o._load_seq as load_seq,
    o._row as row_number
from judged as o
cross join corporate
