-- Law 8. At every date of the aging, what is open by item is what the movements sum to.
with aged as (
    select
        as_of_on,
        currency,
        sum(total_amount) as amount,
        sum(functional_total_amount) as functional_amount
    from {{ ref('ar_aging') }}
    group by as_of_on, currency
),

dates as (
    select distinct as_of_on from aged
),

moved as (
    select
        dates.as_of_on,
        ledger.currency,
        sum(ledger.amount) as amount,
        sum(ledger.functional_amount) as functional_amount
    from dates
    inner join {{ ref('ar_ledger') }} as ledger on dates.as_of_on >= ledger.moved_on
    group by dates.as_of_on, ledger.currency
)

select
    moved.as_of_on,
    moved.currency,
    moved.amount as by_ledger,
    aged.amount as by_item
from moved
left join aged on moved.as_of_on = aged.as_of_on and moved.currency = aged.currency
where
    coalesce(aged.amount, 0) <> moved.amount
    or coalesce(aged.functional_amount, 0) <> coalesce(moved.functional_amount, 0)
