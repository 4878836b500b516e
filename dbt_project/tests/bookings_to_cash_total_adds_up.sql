-- Every level of the company's bridge is the one before plus the steps between. A step without a rate is empty, and so
-- nothing can be said of the levels below it: the missing rate is an exception of its own (FX-MISSING).
with running as (
    select
        *,
        sum(case when kind = 'step' or position = 1 then amount end) over (order by position) as upto,
        bool_or(amount is null) over (order by position) as is_unrated
    from {{ ref('bookings_to_cash_total') }}
)

select *
from running
where kind = 'level' and not is_unrated and amount <> upto
