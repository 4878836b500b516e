-- R07, second leg: payments that billing shows against those posted in the ERP.
with payments as (
    select
        payments.payment_id as record_id,
        {{ role_of('payments.payment_id') }} as role,
        coalesce(payments.document_number, payments.source_id) as label,
        payments.document_number,
        [payments.source_id, payments.external_ref] as ids,
        [upper(trim(payments.document_number))] as numbers,
        coalesce(customers.customer_id, payments.customer_id) as customer_id,
        payments.legal_entity_id,
        payments.currency,
        payments.paid_on as happened_on,
        coalesce(posted.name, dates.period) as period,
        payments.amount,
        coalesce(payments.fee_amount, 0) as fee_amount,
        payments.external_ref
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
    left join {{ ref('stg_legal_entities') }} as entities on payments.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on payments.paid_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as posted
        on payments.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
    where payments.kind = 'payment' and payments.status = 'succeeded'
),

left_records as (
    select
        *,
        true as is_expected
    from payments
    where role = 'billing'
),

erp_payments as (
    select * from payments
    where role = 'erp'
),

repetitions as (
    {{ repeated('erp_payments') }}
),

-- Only what says that it came from elsewhere is expected in billing, and what repeats such a payment: wires reach the
-- ERP directly, and R10 looks for them at the bank.
right_records as (
    select
        erp_payments.*,
        repetitions.repeats,
        erp_payments.external_ref is not null or former.external_ref is not null as is_expected
    from erp_payments
    left join repetitions on erp_payments.record_id = repetitions.record_id
    left join erp_payments as former on repetitions.former_id = former.record_id
),

{{ reconcile(
    'R07', 'billing-erp', 'billing payment', 'ERP payment',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true},
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true, 'when': 'r.repeats is null'},
        {'rule': 'amount, 3 days and customer', 'amount': true, 'days': 3, 'customer': true,
            'when': 'r.external_ref is null'},
    ],
    checks=[
        {'code': 'PAY-FEE', 'what': 'amount, net of the fee:', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'l.fee_amount > 0 and l.amount - r.amount = l.fee_amount'},
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'r.amount < l.amount and not (l.fee_amount > 0 and l.amount - r.amount = l.fee_amount)'},
        {'code': 'PAY-OVER', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.amount > l.amount'},
        {'code': 'PAY-WRONG-CUST', 'what': 'customer', 'left': 'l.customer_id', 'right': 'r.customer_id', 'money': false},
    ],
    left_only='PAY-MISSING', right_only='PAY-MISSING', left_duplicate='PAY-DUP', right_duplicate='PAY-DUP',
    right_repeats='repeats',     currency_code='PAY-MISSING'
) }}

select * from reconciled
