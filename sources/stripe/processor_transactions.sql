-- One row per balance transaction. reporting_category says best what moved the balance; older extracts have only type.
with movements as (select * from balance_transaction),

links as (select * from payout_balance_transaction),

named as (
    select
        m.*,
        coalesce(m.reporting_category, m.type) as category,
        l.payout_id as linked_payout_id
    from movements as m
    left join links as l on m.id = l.balance_transaction_id
),

kinds as (
    select
        *,
        case
            when category in ('charge', 'payment', 'charge_failure', 'payment_failure') then 'charge'
            when category in (
                'refund', 'payment_refund', 'refund_failure', 'payment_failure_refund', 'payment_reversal',
                'partial_capture_reversal'
            ) then 'refund'
            when category in ('dispute', 'dispute_reversal') then 'dispute'
            -- The flattened dialect files disputes under "adjustment"; their source gives them away.
            when category = 'adjustment' and regexp_matches(source, '^(dp|du)_') then 'dispute'
            when category in (
                'fee', 'stripe_fee', 'stripe_fx_fee', 'tax_fee', 'tax', 'network_cost', 'application_fee',
                'application_fee_refund', 'platform_earning', 'platform_earning_refund'
            ) then 'fee'
            when category like 'payout%' then 'payout'
            when category like '%transfer%' or category like 'topup%' then 'transfer'
            when category like '%adjustment%' or category like '%reserve%' or category = 'validation' then 'adjustment'
            else 'other'
        end as kind
    from named
),

mapped as (
    select
        key('billing', id) as processor_transaction_id,
        kind,
        category as native_kind,
        source as source_ref,
        -- A payout's own movement empties the balance: it is not one of the parts it pays out. The return of
        -- a failed one is a part of the payout after it.
        case
            when category = 'payout' then null
            when
                kind = 'payout'
                then nullif(key('billing', coalesce(payout_id, linked_payout_id)), key('billing', source))
            else key('billing', coalesce(payout_id, linked_payout_id))
        end as payout_id,
        iso_date(created) as created_on,
        iso_date(available_on) as available_on,
        upper(currency) as currency,
        from_minor(amount, upper(currency)) as gross_amount,
        from_minor(coalesce(fee, '0'), upper(currency)) as fee_amount,
        from_minor(net, upper(currency)) as net_amount,
        iso_instant(created) as valid_from,
        false as is_deleted,
        'balance_transaction' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from kinds
)

select * from mapped
