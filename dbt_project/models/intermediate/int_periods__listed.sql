-- Every period that an entity's books have, in the entity's calendar and in order.
with entities as (
    select
        legal_entity_id,
        coalesce(calendar, '') as calendar
    from {{ ref('stg_legal_entities') }}
    where not is_elimination
    union
    select
        ledger.legal_entity_id,
        coalesce(entities.calendar, '')
    from {{ ref('ar_ledger') }} as ledger
    left join {{ ref('stg_legal_entities') }} as entities on ledger.legal_entity_id = entities.legal_entity_id
),

periods as (
    select
        calendar,
        min(period) as period,
        min(quarter) as quarter,
        min(accounting_period_id) as accounting_period_id,
        min(period_starts_on) as starts_on,
        period_ends_on as ends_on,
        count(*) as dates,
        count(distinct period) as names
    from {{ ref('int_calendar_dates__placed') }}
    group by calendar, period_ends_on
),

listed as (
    select
        entities.legal_entity_id,
        entities.calendar,
        periods.period,
        periods.quarter,
        periods.accounting_period_id,
        periods.starts_on,
        periods.ends_on,
        lag(periods.ends_on) over in_order as previous_ends_on,
        -- Fewer dates than it is long, or a start that is not the day after the end before: a gap or an overlap.
        periods.names = 1
        and periods.dates = periods.ends_on - periods.starts_on + 1
        and coalesce(lag(periods.ends_on) over in_order = periods.starts_on - 1, true) as is_whole
    from entities
    inner join periods on entities.calendar = periods.calendar
    window in_order as (partition by entities.legal_entity_id order by periods.ends_on)
)

select * from listed
