{#- What a controller closes and restates: the figure of each measure, period, entity and currency. -#}
with stated as (
    select
        'bookings' as measure,
        cast(null as varchar) as legal_entity_id,
        period,
        period_ends_on,
        currency,
        tcv_amount as amount
    from {{ ref('bookings') }}
    union all
    select
        'billings',
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        net_amount
    from {{ ref('billings') }}
    union all
    select
        'collections',
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        amount
    from {{ ref('collections') }}
    union all
    select
        'receivables',
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        closing_amount
    from {{ ref('ar_rollforward') }}
    union all
    select
        'revenue',
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        amount
    from {{ ref('revenue_schedule') }}
    where is_recognised
    union all
    select
        'deferred_revenue',
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        closing_amount
    from {{ ref('deferred_rollforward') }}
),

summed as (
    select
        measure,
        legal_entity_id,
        period,
        period_ends_on,
        currency,
        sum(amount) as amount
    from stated
    group by measure, legal_entity_id, period, period_ends_on, currency
),

-- The quarter is that of the entity's own calendar; what has no entity stands in the group's (docs/decisions/0018).
figures as (
    select
        summed.measure,
        summed.legal_entity_id,
        summed.period,
        summed.period_ends_on,
        dates.quarter,
        summed.currency,
        {{ money('summed.amount') }} as amount
    from summed
    left join {{ ref('stg_legal_entities') }} as entities on summed.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on coalesce(entities.calendar, '') = dates.calendar and summed.period_ends_on = dates.date_on
)

select * from figures
