-- R06, second leg: money that billing paid back against the refunds posted in the ERP. What a refund pays back is not
-- compared here: a refund that names nothing is REF-UNLINKED, and its credit memo is the first leg's.
with payments as (
    select
        payments.kind,
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
        payments.external_ref
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
    left join {{ ref('stg_legal_entities') }} as entities on payments.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on payments.paid_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as posted
        on payments.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
    where payments.kind in ('payment', 'refund') and payments.status = 'succeeded'
),

refunds as (
    select * from payments
    where kind = 'refund'
),

-- Refunds are few: what time a system covers is told by its first and last payment. They match nothing.
windows as (
    select * from payments
    where kind = 'payment'
    qualify
        row_number() over (partition by role order by happened_on, record_id) = 1
        or row_number() over (partition by role order by happened_on desc, record_id) = 1
),

left_records as (
    select
        *,
        amount <> 0 as is_expected
    from refunds
    where role = 'billing'
    union all
    select
        *,
        false
    from windows
    where role = 'billing' and 'erp' in (select refunds.role from refunds)
),

erp_refunds as (
    select * from refunds
    where role = 'erp'
),

repetitions as (
    {{ repeated('erp_refunds') }}
),

-- Only what says that it came from elsewhere is expected in billing, and what repeats such a refund.
right_records as (
    select
        erp_refunds.*,
        repetitions.repeats,
        erp_refunds.external_ref is not null or former.external_ref is not null as is_expected
    from erp_refunds
    left join repetitions on erp_refunds.record_id = repetitions.record_id
    left join erp_refunds as former on repetitions.former_id = former.record_id
    union all
    select
        *,
        null,
        false
    from windows
    where role = 'erp' and 'billing' in (select refunds.role from refunds)
),

{% set is_refund = "l.kind = 'refund' and r.kind = 'refund'" -%}
{{ reconcile(
    'R06', 'billing-erp-refunds', 'billing refund', 'ERP refund',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true, 'when': is_refund},
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true, 'when': is_refund ~ ' and r.repeats is null'},
        {'rule': 'amount, 3 days and customer', 'amount': true, 'days': 3, 'customer': true,
            'when': is_refund ~ ' and r.external_ref is null'},
    ],
    checks=[
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.amount < l.amount'},
        {'code': 'PAY-OVER', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.amount > l.amount'},
        {'code': 'PAY-WRONG-CUST', 'what': 'customer', 'left': 'l.customer_id', 'right': 'r.customer_id', 'money': false},
    ],
    left_only='PAY-MISSING', right_only='PAY-MISSING', left_duplicate='PAY-DUP', right_duplicate='PAY-DUP',
    right_repeats='repeats', currency_code='PAY-MISSING'
) }}

select * from reconciled
