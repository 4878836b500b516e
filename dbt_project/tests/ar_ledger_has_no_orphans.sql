-- Both legs of every application stand in the ledger and cancel in transaction currency.
select
    counter_id,
    document_id,
    currency,
    sum(amount) as left_over
from (
    select
        least(item_id, counter_id) as counter_id,
        greatest(item_id, counter_id) as document_id,
        currency,
        amount
    from {{ ref('ar_ledger') }}
    where movement = 'application'
) as legs
group by counter_id, document_id, currency
having sum(amount) <> 0
