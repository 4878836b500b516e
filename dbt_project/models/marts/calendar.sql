with dates as (
    select * from {{ ref('int_dates__placed') }}
)

select * from dates
