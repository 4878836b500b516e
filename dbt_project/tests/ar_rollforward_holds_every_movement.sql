-- Conservation: the movements of all periods up to the cut are those of the ledger.
with rolled as (
    select
        legal_entity_id,
        currency,
        sum(
            invoices_amount + debit_memos_amount + credit_memos_amount + write_offs_amount + voids_amount + payments_amount
            + refunds_amount + chargebacks_amount
        ) as amount
    from {{ ref('ar_rollforward') }}
    group by legal_entity_id, currency
),

moved as (
    select legal_entity_id, currency, sum(amount) as amount
    from {{ ref('ar_ledger') }}
    where
        period_ends_on <= (select min(period_ends_on) from {{ ref('int_dates__placed') }} where date_on = {{ as_of() }})
    group by legal_entity_id, currency
)

select moved.legal_entity_id, moved.currency, moved.amount as in_ledger, rolled.amount as in_rollforward
from moved
left join rolled on moved.legal_entity_id = rolled.legal_entity_id and moved.currency = rolled.currency
where moved.amount <> coalesce(rolled.amount, 0)
