-- Payouts beside the sum of the movements they paid out. A payout's own movement is not a part of it; the return of an
-- earlier, failed payout is.
with payouts as (
    select * from {{ ref('stg_payouts') }}
),

transactions as (
    select * from {{ ref('stg_processor_transactions') }}
),

parts as (
    select
        transactions.payout_id,
        transactions.currency,
        transactions.kind,
        transactions.gross_amount,
        transactions.fee_amount,
        transactions.net_amount
    from transactions
    left join payouts as own on transactions.payout_id = own.payout_id
    where not (
        transactions.kind = 'payout'
        and (
            (transactions.payout_id is null and transactions.net_amount <= 0)
            or (
                transactions.payout_id is not null
                and coalesce(transactions.source_ref = own.source_id, transactions.net_amount = -own.amount)
            )
        )
    )
),

summed as (
    select
        coalesce(payout_id, 'unpaid:' || currency) as payout_id,
        currency,
        count(*) as part_count,
        {%- for kind in ['charge', 'refund', 'dispute', 'adjustment', 'fee'] %}
            {{ money("sum(case when kind = '" ~ kind ~ "' then gross_amount else 0 end)") }} as {{ kind }}_amount,
        {%- endfor %}
        {{ money("sum(case when kind in ('payout', 'transfer', 'other') then gross_amount else 0 end)") }}
            as other_amount,
        {{ money('sum(fee_amount)') }} as withheld_fee_amount,
        {{ money('sum(net_amount)') }} as net_amount
    from parts
    group by coalesce(payout_id, 'unpaid:' || currency), currency
),

compared as (
    select
        coalesce(payouts.payout_id, summed.payout_id) as payout_id,
        payouts.source_id,
        payouts.status,
        payouts.created_on,
        payouts.arrives_on,
        coalesce(payouts.currency, summed.currency) as currency,
        payouts.amount as payout_amount,
        payouts.trace_ref,
        payouts.descriptor,
        payouts.is_automatic,
        coalesce(summed.part_count, 0) as part_count,
    {%- for column in ['charge', 'refund', 'dispute', 'adjustment', 'fee', 'other', 'withheld_fee', 'net'] %}
        coalesce(summed.{{ column }}_amount, {{ money(0) }}) as {{ column }}_amount{{ ',' if not loop.last }}
    {%- endfor %}
    from payouts
    full outer join summed on payouts.payout_id = summed.payout_id and payouts.currency = summed.currency
)

select * from compared
