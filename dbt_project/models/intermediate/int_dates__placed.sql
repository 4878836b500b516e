-- The group's calendar: for what belongs to no entity, and for reports across entities.
with calendars as (
    select * from {{ ref('int_calendar_dates__placed') }}
),

dates as (
    select * exclude (calendar) from calendars
    where calendar = ''
)

select * from dates
