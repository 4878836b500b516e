-- One row per subscription. Stripe states ends as moments, the first one not served; a contract's last day is the day
-- before, but never one before it began.
with subscriptions as (select * from subscription),

items as (
    select
        subscription_id,
        min(currency) as currency
    from subscription_item
    group by subscription_id
    having min(currency) = max(currency)
),

dated as (
    select
        s.*,
        i.currency as item_currency,
        coalesce(
            s.opportunity,
            case
                when json_valid(trim(s.metadata, '"'))
                    then json_extract_string(trim(s.metadata, '"'), '$."' || getvariable('opportunity') || '"')
            end
        ) as deal,
        iso_date(coalesce(s.start_date, s.created)) as starts_on,
        iso_date(coalesce(s.ended_at, s.cancel_at)) as stops_on
    from subscriptions as s
    left join items as i on s.id = i.subscription_id
),

mapped as (
    select
        key('billing', id) as contract_id,
        key('billing', customer_id) as customer_id,
        key('crm', deal) as opportunity_ref,
        status,
        upper(coalesce(currency, item_currency)) as currency,
        starts_on,
        coalesce(
            greatest(strftime(try_cast(stops_on as date) - interval 1 day, '%Y-%m-%d'), starts_on), stops_on
        ) as ends_on,
        cast(date_diff('month', try_cast(starts_on as date), try_cast(stops_on as date)) as varchar) as term_months,
        iso_instant(coalesce(ended_at, canceled_at, created)) as valid_from,
        coalesce(_deleted, false) as is_deleted,
        'subscription' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from dated
)

select * from mapped
