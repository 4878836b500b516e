-- Conservation: every step of both halves stands in the bridge, and its banked level is what R10 shows of payouts, of
-- receipts, and of lines that nobody explains.
with stated as (
    select
        currency,
        sum(amount) as amount
    from (
        select * from {{ ref('int_deals__bridged') }}
        union all
        select * from {{ ref('int_cash__bridged') }}
    ) as steps
    group by currency
),

shown as (
    select
        currency,
        sum(
            booked_amount + contracted_timing_amount + contracted_terms_amount + contracted_leakage_amount
            + billed_timing_amount + billed_terms_amount + billed_discount_amount + billed_credit_amount
            + billed_usage_amount + billed_direct_amount + billed_amount + recognised_amount + collected_tax_amount
            + collected_open_amount + collected_unapplied_amount + collected_write_off_amount
            + collected_for_others_amount + collected_amount + banked_timing_amount + banked_fee_amount
            + banked_fx_amount + banked_dispute_amount + banked_adjustment_amount + banked_amount
        ) as amount,
        sum(banked_amount) as banked_amount
    from {{ ref('bookings_to_cash') }}
    group by currency
),

banked as (
    select
        lines.currency,
        sum(lines.right_amount) as amount
    from {{ ref('rec_cash_movements__bank_lines') }} as lines
    where
        lines.line_kind = 'pair'
        and (
            lines.left_id is null
            or lines.left_id in (select payout_id from {{ ref('stg_payouts') }})
            or lines.left_id in (select payment_id from {{ ref('stg_payments') }})
        )
    group by lines.currency
)

select
    coalesce(stated.currency, shown.currency, banked.currency) as currency,
    stated.amount as in_steps,
    shown.amount as in_bridge,
    banked.amount as at_bank,
    shown.banked_amount as in_bridge_as_banked
from stated
full outer join shown on stated.currency = shown.currency
full outer join banked on coalesce(stated.currency, shown.currency) = banked.currency
where
    coalesce(stated.amount, 0) <> coalesce(shown.amount, 0)
    or coalesce(banked.amount, 0) <> coalesce(shown.banked_amount, 0)
