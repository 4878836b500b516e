-- The periods of every calendar in order, the one of the business date split after it, so that what is recognised and
-- what is still to come never share a row. What lies beyond the last known day is one period, `later`: a service
-- that is said to end in a hundred years costs one row and no calendar of its own.
with periods as (
    select
        calendar,
        period,
        period_ends_on,
        min(date_on) as starts_on,
        max(date_on) as ends_on
    from {{ ref('int_calendar_dates__placed') }}
    group by calendar, period, period_ends_on
),

parts as (
    select
        calendar,
        period,
        period_ends_on,
        cast(least(ends_on, {{ as_of() }}) as date) as ends_on,
        true as is_recognised
    from periods
    where starts_on <= {{ as_of() }}
    union all
    select
        calendar,
        period,
        period_ends_on,
        ends_on,
        false
    from periods
    where ends_on > {{ as_of() }}
    union all
    select
        calendar,
        'later',
        cast('9999-12-31' as date),
        cast('9999-12-31' as date),
        false
    from periods
    group by calendar
),

numbered as (
    select
        calendar,
        period,
        period_ends_on,
        ends_on,
        is_recognised,
        row_number() over (partition by calendar order by ends_on, period_ends_on) as part_number,
        lag(ends_on) over (partition by calendar order by ends_on, period_ends_on) as previous_ends_on
    from parts
)

select * from numbered
