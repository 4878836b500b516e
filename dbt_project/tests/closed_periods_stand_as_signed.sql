-- Law 11. The rollforward of receivables and of deferred revenue closes a locked period as it was signed.
with rolled as (
    select
        'ar' as measure,
        legal_entity_id,
        period_ends_on,
        currency,
        functional_currency,
        closing_amount,
        functional_closing_amount
    from {{ ref('ar_rollforward') }}
    union all
    select
        'deferred',
        legal_entity_id,
        period_ends_on,
        currency,
        functional_currency,
        closing_amount,
        functional_closing_amount
    from {{ ref('deferred_rollforward') }}
),

signed as (
    select *
    from {{ ref('closings') }}
    where is_in_force and measure <> 'ledger'
)

select signed.*
from signed
left join rolled
    on
        signed.measure = rolled.measure
        and signed.legal_entity_id = rolled.legal_entity_id
        and signed.period_ends_on = rolled.period_ends_on
        and signed.currency = rolled.currency
        and signed.functional_currency is not distinct from rolled.functional_currency
where
    signed.closing_amount <> coalesce(rolled.closing_amount, 0)
    or coalesce(signed.functional_closing_amount, 0) <> coalesce(rolled.functional_closing_amount, 0)
