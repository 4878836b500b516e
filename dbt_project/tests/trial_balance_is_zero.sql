-- Law 5. The gate refuses unbalanced journals, so a trial balance that is not zero is finpipe's fault.
select
    legal_entity_id,
    book,
    currency,
    period_ends_on,
    sum(closing_amount) as balance
from {{ ref('trial_balance') }}
where currency is not null
group by legal_entity_id, book, currency, period_ends_on
having sum(closing_amount) <> 0
