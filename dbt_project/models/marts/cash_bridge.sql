with payouts as (
    select * from {{ ref('int_payouts__summed') }}
),

banked as (
    select
        lines.left_id as payout_id,
        sum(lines.right_amount) as amount,
        max(bank.booked_on) as banked_on
    from {{ ref('rec_cash_movements__bank_lines') }} as lines
    inner join {{ ref('stg_bank_transactions') }} as bank on lines.right_id = bank.bank_transaction_id
    where lines.line_kind = 'pair'
    group by lines.left_id
),

bridge as (
    select
        payouts.payout_id,
        coalesce(payouts.status, 'not paid out') as status,
        payouts.created_on,
        payouts.arrives_on,
        banked.banked_on,
        dates.period,
        dates.quarter,
        payouts.currency,
        payouts.part_count,
        payouts.charge_amount,
        payouts.refund_amount,
        payouts.dispute_amount,
        payouts.adjustment_amount,
        payouts.other_amount,
        {{ money('payouts.fee_amount - payouts.withheld_fee_amount') }} as fee_amount,
        payouts.net_amount,
        payouts.payout_amount,
        {{ money('payouts.net_amount - payouts.payout_amount') }} as net_difference_amount,
        {{ money('banked.amount') }} as bank_amount,
        {{ money('payouts.payout_amount - banked.amount') }} as bank_difference_amount
    from payouts
    left join banked on payouts.payout_id = banked.payout_id
    left join {{ ref('int_dates__placed') }} as dates on payouts.created_on = dates.date_on
)

select * from bridge
