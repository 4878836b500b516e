-- Every date of the century with the number of business days before it: business hours become whole-number arithmetic.
with days as (
    select cast(day as date) as date_on
    from (select {{ days_between("date '2000-01-01'", "date '2099-12-31'") }} as day)
),

judged as (
    select
        days.date_on,
        isodow(days.date_on) <= 5 and holidays.date_on is null as is_business_day
    from days
    left join {{ source('reference', 'policy_holidays') }} as holidays on days.date_on = holidays.date_on
),

numbered as (
    select
        date_on,
        is_business_day,
        cast(coalesce(sum(case when is_business_day then 1 else 0 end) over (
            order by date_on rows between unbounded preceding and 1 preceding
        ), 0) as bigint) as business_day_number
    from judged
)

select * from numbered
