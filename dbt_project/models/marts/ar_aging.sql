{{ config(post_hook="{{ create_ar_aging_at(ref('ar_open_items')) }}") }}
with dates as (
    select distinct period_ends_on as as_of_on from {{ ref('int_dates__placed') }}
    where period_ends_on <= {{ as_of() }}
    union
    select {{ as_of() }}
),

items as (
    select * from {{ ref('ar_open_items') }}
),

aged as (
    select
        dates.as_of_on,
        i.legal_entity_id,
        coalesce(i.customer_id, 'unknown') as customer_id,
        i.currency,
        {{ aging_columns('dates.as_of_on') }}
    from dates
    inner join items as i on dates.as_of_on between i.holds_from_on and i.holds_until_on
    group by dates.as_of_on, i.legal_entity_id, coalesce(i.customer_id, 'unknown'), i.currency, i.functional_currency
),

reported as (
    select
        aged.*,
        dates.quarter,
        '{{ var("reporting_currency") }}' as reporting_currency,
        {{ rate('rates.rate') }} as reporting_rate,
        {{ converted('aged.total_amount', 'rates.rate', 'rates.minor_units') }} as reporting_total_amount
    from aged
    left join {{ ref('int_dates__placed') }} as dates on aged.as_of_on = dates.date_on
    left join {{ ref('int_fx_rates__looked_up') }} as rates
        on
            aged.currency = rates.from_currency
            and rates.to_currency = '{{ var("reporting_currency") }}'
            and aged.as_of_on = rates.rate_on
)

select * from reported
