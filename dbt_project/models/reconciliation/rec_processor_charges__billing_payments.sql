-- R07, first leg: charges on the processor's balance against the payments that billing shows.
with left_records as (
    select
        processor_transactions.processor_transaction_id as record_id,
        coalesce(processor_transactions.source_ref, processor_transactions.source_id) as label,
        [processor_transactions.source_ref, processor_transactions.source_id] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as legal_entity_id,
        processor_transactions.currency,
        processor_transactions.created_on as happened_on,
        dates.period,
        processor_transactions.gross_amount as amount,
        processor_transactions.fee_amount,
        true as is_expected
    from {{ ref('stg_processor_transactions') }} as processor_transactions
    left join {{ ref('int_dates__placed') }} as dates on processor_transactions.created_on = dates.date_on
    where processor_transactions.kind = 'charge'
),

-- Billing may record payments that the processor never saw; those say so in their method.
right_records as (
    select
        payments.payment_id as record_id,
        coalesce(payments.document_number, payments.source_id) as label,
        [payments.source_id, payments.external_ref] as ids,
        [cast(null as varchar)] as numbers,
        coalesce(customers.customer_id, payments.customer_id) as customer_id,
        payments.legal_entity_id,
        payments.currency,
        payments.paid_on as happened_on,
        dates.period,
        payments.amount,
        payments.fee_amount,
        coalesce(payments.method, '') not in ('out_of_band', 'paid_out_of_band') as is_expected
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates on payments.paid_on = dates.date_on
    where
        {{ role_of('payments.payment_id') }} = 'billing' and payments.kind = 'payment' and payments.status = 'succeeded'
),

{{ reconcile(
    'R07', 'processor-billing', 'processor charge', 'billing payment',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true},
        {'rule': 'amount and day', 'amount': true, 'days': 0},
    ],
    checks=[
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.amount < l.amount'},
        {'code': 'PAY-OVER', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.amount > l.amount'},
        {'code': 'PAY-FEE', 'what': 'fee', 'left': 'l.fee_amount', 'right': 'r.fee_amount', 'money': false,
            'amounts': true, 'when': 'l.currency = r.currency'},
    ],
    left_only='PAY-MISSING', right_only='PAY-MISSING', left_duplicate='PAY-DUP', right_duplicate='PAY-DUP'
) }}

select * from reconciled
