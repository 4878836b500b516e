-- Law 7. The opening of a period is the closing of the one before.
with in_order as (
    select
        *,
        lag(closing_amount) over (partition by legal_entity_id, currency, functional_currency order by period_ends_on)
            as closed_amount,
        lag(functional_closing_amount) over (
            partition by legal_entity_id, currency, functional_currency order by period_ends_on
        ) as functional_closed_amount
    from {{ ref('deferred_rollforward') }}
)

select *
from in_order
where opening_amount <> coalesce(closed_amount, 0) or functional_opening_amount <> coalesce(functional_closed_amount, 0)
