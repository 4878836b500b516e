-- Every level of the company's bridge is the one before plus the steps between.
with running as (
    select
        *,
        sum(case when kind = 'step' or position = 1 then amount end) over (order by position) as upto
    from {{ ref('bookings_to_cash_total') }}
)

select *
from running
where kind = 'level' and amount <> upto
