-- What counts as applied, refunded or charged back, each with the day from which it counts.
-- Only applications between two documents that count, in one currency; a refund that already pays back a credit memo
-- does not pay back the payment too; and money returned from an applied payment takes the application back, newest
-- first (docs/decisions/0013).
with items as (
    select
        invoice_id as item_id,
        currency,
        issued_on as dated_on,
        total_amount as amount
    from {{ ref('int_documents__posted') }}
    union all
    select
        payment_id,
        currency,
        paid_on,
        amount
    from {{ ref('int_payments__succeeded') }}
),

stated as (
    select
        applications.application_id,
        applications.kind,
        applications.from_id,
        applications.to_id,
        applications.applied_on,
        applications.currency,
        applications.amount
    from {{ ref('stg_applications') }} as applications
    inner join {{ ref('int_authority__chosen') }} as authority
        on authority.subject = 'applications' and {{ role_of('applications.application_id') }} = authority.role
    union all
    -- A return that names its payment but has no application of its own.
    select
        payments.payment_id || '/original',
        case when payments.kind = 'refund' then 'refund_to_payment' else 'chargeback_to_payment' end,
        payments.payment_id,
        payments.original_payment_id,
        payments.paid_on,
        payments.currency,
        payments.amount
    from {{ ref('int_payments__succeeded') }} as payments
    where
        payments.kind <> 'payment'
        and payments.original_payment_id is not null
        and not exists (
            select 1 from {{ ref('stg_applications') }} as own
            where own.from_id = payments.payment_id
        )
),

between_items as (
    select
        stated.application_id,
        stated.kind,
        stated.from_id,
        stated.to_id,
        greatest(stated.applied_on, sources.dated_on, targets.dated_on) as applied_on,
        stated.currency,
        stated.amount,
        sources.amount as from_amount,
        targets.amount as to_amount
    from stated
    inner join items as sources on stated.from_id = sources.item_id and stated.currency = sources.currency
    inner join items as targets on stated.to_id = targets.item_id and stated.currency = targets.currency
),

credited as (
    select
        from_id,
        sum(amount) as amount
    from between_items
    where kind = 'refund_to_credit'
    group by from_id
),

returned_upto as (
    select
        between_items.*,
        credited.from_id is not null as has_credited,
        between_items.from_amount - coalesce(credited.amount, 0) as returnable,
        sum(between_items.amount) over (
            partition by between_items.from_id
            order by between_items.applied_on, between_items.application_id
            rows between unbounded preceding and current row
        ) as upto
    from between_items
    left join credited on between_items.from_id = credited.from_id
    where between_items.kind in ('refund_to_payment', 'chargeback_to_payment')
),

returns as (
    select
        application_id,
        kind,
        from_id,
        to_id,
        applied_on,
        currency,
        to_amount,
        case
            when not has_credited then amount
            else greatest(least(upto, returnable), 0) - greatest(least(upto - amount, returnable), 0)
        end as amount
    from returned_upto
),

applied as (
    select
        from_id,
        to_id,
        currency,
        max(applied_on) as applied_on,
        sum(amount) as amount
    from between_items
    where kind = 'payment_to_invoice'
    group by from_id, to_id, currency
    having sum(amount) > 0
),

applied_upto as (
    select
        *,
        sum(amount) over (partition by from_id) as total,
        sum(amount) over (
            partition by from_id order by applied_on desc, to_id desc rows between unbounded preceding and current row
        ) as upto
    from applied
),

overdrawn as (
    select
        *,
        sum(amount) over (
            partition by to_id order by applied_on, application_id rows between unbounded preceding and current row
        ) as returned_upto
    from returns
),

taken_back as (
    select
        'reversal:' || overdrawn.application_id || ':' || applied_upto.to_id as application_id,
        'payment_to_invoice' as kind,
        applied_upto.from_id,
        applied_upto.to_id,
        greatest(overdrawn.applied_on, applied_upto.applied_on) as applied_on,
        applied_upto.currency,
        -(
            least(greatest(applied_upto.total + overdrawn.returned_upto - overdrawn.to_amount, 0), applied_upto.upto)
            - greatest(
                greatest(applied_upto.total + overdrawn.returned_upto - overdrawn.amount - overdrawn.to_amount, 0),
                applied_upto.upto - applied_upto.amount
            )
        ) as amount
    from overdrawn
    inner join applied_upto on overdrawn.to_id = applied_upto.from_id
    where
        least(greatest(applied_upto.total + overdrawn.returned_upto - overdrawn.to_amount, 0), applied_upto.upto)
        > greatest(
            greatest(applied_upto.total + overdrawn.returned_upto - overdrawn.amount - overdrawn.to_amount, 0),
            applied_upto.upto - applied_upto.amount
        )
),

effective as (
    select
        application_id,
        kind,
        from_id,
        to_id,
        applied_on,
        currency,
        {{ money('amount') }} as amount,
        false as is_derived
    from between_items
    where kind not in ('refund_to_payment', 'chargeback_to_payment')
    union all
    select
        application_id,
        kind,
        from_id,
        to_id,
        applied_on,
        currency,
        {{ money('amount') }},
        false
    from returns
    union all
    select
        application_id,
        kind,
        from_id,
        to_id,
        applied_on,
        currency,
        {{ money('amount') }},
        true
    from taken_back
)

select * from effective
