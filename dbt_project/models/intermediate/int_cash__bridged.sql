-- Levels and steps from what was collected to what stands at the bank, one line each, to be summed by customer and
-- currency. Money that went through the processor is followed by its movements to the payout and its bank line; other
-- receipts by the bank line that R10 found. What the bank shows and nobody can name stands with the customer `unknown`.
with collections as (
    select
        *,
        coalesce(customer_id, 'unknown') as payer_id
    from {{ ref('collections') }}
),

ledger as (
    select
        entries.*,
        coalesce(entries.customer_id, 'unknown') as owner_id,
        coalesce(counters.customer_id, 'unknown') as counter_owner_id
    from {{ ref('ar_ledger') }} as entries
    left join (
        select
            item_id,
            min(customer_id) as customer_id
        from {{ ref('ar_ledger') }}
        group by item_id
    ) as counters on entries.counter_id = counters.item_id
),

-- The bank line of each payout and receipt; postings of the ledger, such as bank charges, are no customer's money.
pairs as (
    select
        lines.*,
        findings.code as found_code,
        findings.severity as found_severity,
        payouts.payout_id,
        receipts.payment_id,
        receipts.customer_id as payer_id
    from {{ ref('rec_cash_movements__bank_lines') }} as lines
    left join (
        select
            coalesce(left_id, '') as left_id,
            coalesce(right_id, '') as right_id,
            min(code) as code,
            min(severity) as severity
        from {{ ref('rec_cash_movements__bank_lines') }}
        where line_kind = 'finding'
        group by coalesce(left_id, ''), coalesce(right_id, '')
    ) as findings
        on coalesce(lines.left_id, '') = findings.left_id and coalesce(lines.right_id, '') = findings.right_id
    left join {{ ref('stg_payouts') }} as payouts on lines.left_id = payouts.payout_id
    left join (
        select
            payments.payment_id,
            coalesce(customers.customer_id, payments.customer_id, 'unknown') as customer_id
        from {{ ref('stg_payments') }} as payments
        left join {{ ref('int_customers__identified') }} as customers
            on payments.customer_id = customers.source_customer_id
    ) as receipts on lines.left_id = receipts.payment_id
    where lines.line_kind = 'pair'
),

banked_payouts as (
    select
        payout_id,
        min(currency) as currency,
        sum(right_amount) as amount,
        bool_or(right_id is not null) as is_banked,
        coalesce(bool_and(right_id is null and found_severity is distinct from 'timing'), false) as is_missing
    from pairs
    where payout_id is not null
    group by payout_id
),

-- What a failed payout held comes back to the balance, and goes out again with the payout that holds its return.
returned as (
    select
        failed.payout_id as failed_id,
        min(movements.payout_id) as payout_id
    from {{ ref('stg_processor_transactions') }} as movements
    inner join {{ ref('stg_payouts') }} as failed on movements.source_ref = failed.source_id
    where movements.kind = 'payout' and movements.net_amount > 0 and movements.payout_id is not null
    group by failed.payout_id
),

movements as (
    select
        movements.kind,
        movements.currency,
        movements.gross_amount,
        movements.fee_amount,
        movements.net_amount,
        payments.currency as paid_currency,
        payments.amount as paid_amount,
        coalesce(customers.customer_id, payments.customer_id, 'unknown') as payer_id,
        coalesce(returned.payout_id, movements.payout_id) as payout_id
    from {{ ref('stg_processor_transactions') }} as movements
    left join {{ ref('stg_payments') }} as payments
        on
            movements.source_ref = payments.source_id
            and {{ role_of('movements.processor_transaction_id') }} = {{ role_of('payments.payment_id') }}
    left join {{ ref('int_customers__identified') }} as customers on payments.customer_id = customers.source_customer_id
    left join returned on movements.payout_id = returned.failed_id
    where movements.kind <> 'payout'
),

paid_out as (
    select
        movements.*,
        coalesce(banked_payouts.is_banked, false) as is_banked,
        coalesce(banked_payouts.is_missing, false) as is_missing
    from movements
    left join banked_payouts on movements.payout_id = banked_payouts.payout_id
),

-- What the bank booked of a payout beyond its parts: nothing, unless something is wrong.
beyond_parts as (
    select
        banked_payouts.currency,
        banked_payouts.amount - coalesce(parts.amount, 0) as amount
    from banked_payouts
    left join (
        select
            payout_id,
            sum(net_amount) as amount
        from movements
        where payout_id is not null
        group by payout_id
    ) as parts on banked_payouts.payout_id = parts.payout_id
    where banked_payouts.is_banked
),

bridged as (
    select
        payer_id as customer_id,
        currency,
        'collected' as step,
        amount
    from collections
    union all
    -- What is still open of documents, and of money and credits that nobody applied.
    select
        owner_id,
        currency,
        case when item_kind in ('invoice', 'debit_memo') then 'collected_open' else 'collected_unapplied' end,
        -amount
    from ledger
    union all
    select
        owner_id,
        currency,
        'collected_write_off',
        amount
    from ledger
    where item_kind = 'write_off' and movement <> 'application'
    union all
    select
        owner_id,
        currency,
        'collected_for_others',
        amount
    from ledger
    where movement = 'application' and owner_id <> counter_owner_id
    union all
    select
        payer_id,
        currency,
        'banked',
        net_amount
    from paid_out
    where is_banked
    union all
    select
        'unknown',
        currency,
        'banked',
        amount
    from beyond_parts
    union all
    select
        coalesce(payer_id, 'unknown'),
        currency,
        'banked',
        right_amount
    from pairs
    where right_id is not null and payout_id is null and (payment_id is not null or left_id is null)
    union all
    select
        payer_id,
        currency,
        'banked_fee',
        -fee_amount + case when kind = 'fee' then gross_amount else 0 end
    from paid_out
    union all
    select
        payer_id,
        currency,
        'banked_fee',
        right_amount - left_amount
    from pairs
    where payment_id is not null and right_id is not null and found_code = 'PAY-FEE'
    union all
    select
        payer_id,
        currency,
        'banked_timing',
        -net_amount
    from paid_out
    where not is_banked and not is_missing
    union all
    select
        payer_id,
        currency,
        'banked_timing',
        -left_amount
    from pairs
    where payment_id is not null and right_id is null and found_severity = 'timing'
    union all
    select
        payer_id,
        currency,
        'banked_dispute',
        gross_amount
    from paid_out
    where kind = 'dispute'
    union all
    -- Disputes that the believed role keeps as chargebacks were taken out of what is collected already.
    select
        payer_id,
        currency,
        'banked_dispute',
        -amount
    from collections
    where kind = 'chargeback'
    union all
    select
        payer_id,
        currency,
        'banked_adjustment',
        gross_amount
    from paid_out
    where kind not in ('charge', 'refund', 'dispute', 'fee')
    union all
    select
        payer_id,
        paid_currency,
        'banked_fx',
        -case when kind = 'refund' then -paid_amount else paid_amount end
    from paid_out
    where kind in ('charge', 'refund') and paid_currency <> currency
    union all
    select
        payer_id,
        currency,
        'banked_fx',
        gross_amount
    from paid_out
    where kind in ('charge', 'refund') and paid_currency <> currency
)

select
    customer_id,
    currency,
    step,
    {{ money('sum(amount)') }} as amount
from bridged
where amount <> 0
group by customer_id, currency, step
