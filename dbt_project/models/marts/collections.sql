with payments as (
    select * from {{ ref('int_payments__succeeded') }}
),

applications as (
    select * from {{ ref('int_applications__effective') }}
),

applied as (
    select
        from_id as payment_id,
        sum(amount) as amount
    from applications
    where kind = 'payment_to_invoice'
    group by from_id
),

returned as (
    select
        to_id as payment_id,
        sum(case when kind = 'refund_to_payment' then amount else 0 end) as refunded_amount,
        sum(case when kind = 'chargeback_to_payment' then amount else 0 end) as charged_back_amount
    from applications
    where kind in ('refund_to_payment', 'chargeback_to_payment')
    group by to_id
),

-- A refund's row takes the refunded amount back out, so that every row and every sum of rows satisfies
-- amount = applied + unapplied + refunded + charged back.
split as (
    select
        payments.*,
        case when payments.kind = 'payment' then coalesce(applied.amount, 0) else 0 end as applied_amount,
        case payments.kind
            when 'payment' then coalesce(returned.refunded_amount, 0) when 'refund' then -payments.amount else 0
        end as refunded_amount,
        case payments.kind
            when 'payment' then coalesce(returned.charged_back_amount, 0) when 'chargeback' then -payments.amount else 0
        end as charged_back_amount
    from payments
    left join applied on payments.payment_id = applied.payment_id
    left join returned on payments.payment_id = returned.payment_id
),

collected as (
    select
        payment_id as collection_id,
        kind,
        document_number,
        external_ref,
        customer_id,
        source_customer_id,
        legal_entity_id,
        original_payment_id,
        paid_on as collected_on,
        period,
        period_ends_on,
        quarter,
        method,
        currency,
        {{ money('direction * amount') }} as amount,
        {{ money('applied_amount') }} as applied_amount,
        {{ money('direction * amount - applied_amount - refunded_amount - charged_back_amount') }} as unapplied_amount,
        {{ money('refunded_amount') }} as refunded_amount,
        {{ money('charged_back_amount') }} as charged_back_amount,
        {{ money('fee_amount') }} as fee_amount,
        functional_currency,
        {{ rate('functional_rate') }} as functional_rate,
        {{ converted('direction * amount', 'functional_rate', 'functional_minor_units') }} as functional_amount,
        reporting_currency,
        {{ rate('reporting_rate') }} as reporting_rate,
        {{ converted('direction * amount', 'reporting_rate', 'reporting_minor_units') }} as reporting_amount,
        system
    from split
)

select * from collected
