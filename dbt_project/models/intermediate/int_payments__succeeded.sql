-- Money that moved, of the believed role. A fee that the role does not know is taken from the processor's movement of
-- the same payment, when it is in the same currency.
with sole_entity as ({{ sole_entity() }}
),

fees as (
    select
        source_ref,
        currency,
        sum(fee_amount) as fee_amount
    from {{ ref('stg_processor_transactions') }}
    where source_ref is not null and kind <> 'payout'
    group by source_ref, currency
),

payments as (
    select
        payments.payment_id,
        payments.kind,
        case when payments.kind = 'payment' then 1 else -1 end as direction,
        payments.document_number,
        payments.external_ref,
        payments.customer_id,
        payments.legal_entity_id,
        payments.original_payment_id,
        payments.accounting_period_id,
        payments.paid_on,
        payments.method,
        payments.currency,
        payments.amount,
        coalesce(payments.fee_amount, {{ money('coalesce(own.fee_amount, other.fee_amount)') }}) as fee_amount,
        payments.exchange_rate,
        payments.system
    from {{ ref('stg_payments') }} as payments
    inner join {{ ref('int_authority__chosen') }} as authority
        on authority.subject = 'payments' and {{ role_of('payments.payment_id') }} = authority.role
    left join fees as own on payments.source_id = own.source_ref and payments.currency = own.currency
    left join fees as other on payments.external_ref = other.source_ref and payments.currency = other.currency
    where payments.status = 'succeeded'
),

succeeded as (
    {{ placed_and_rated('payments', 'payments.paid_on') }}
)

select * from succeeded
