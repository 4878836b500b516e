-- R08. Both sides in the ERP's words: billing's payment and invoice are replaced by the ERP documents that R05 and R07
-- matched them with. What is missing there is theirs to report, and is not reported again here.
with invoice_matches as (
    select
        left_id,
        right_id
    from {{ ref('rec_billing_invoices__erp_invoices') }}
    where line_kind = 'pair' and left_id is not null and right_id is not null
    group by left_id, right_id
),

payment_matches as (
    select
        left_id,
        right_id,
        sum(difference_amount) as difference_amount
    from {{ ref('rec_billing_payments__erp_payments') }}
    where line_kind = 'pair' and left_id is not null and right_id is not null
    group by left_id, right_id
),

payments as (
    select
        payments.payment_id,
        coalesce(customers.customer_id, payments.customer_id) as customer_id,
        payments.legal_entity_id,
        coalesce(payments.document_number, payments.source_id) as label
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
),

applied as (
    select
        {{ role_of('application_id') }} as role,
        from_id,
        to_id,
        currency,
        min(applied_on) as happened_on,
        sum(amount) as amount
    from {{ ref('stg_applications') }}
    where kind = 'payment_to_invoice'
    group by {{ role_of('application_id') }}, from_id, to_id, currency
    having sum(amount) <> 0
),

in_erp_words as (
    select
        applied.role,
        payment_matches.right_id as payment_id,
        invoice_matches.right_id as invoice_id,
        applied.currency,
        applied.happened_on,
        applied.amount,
        payment_matches.difference_amount
    from applied
    inner join payment_matches on applied.from_id = payment_matches.left_id
    inner join invoice_matches on applied.to_id = invoice_matches.left_id
    where applied.role = 'billing'
    union all
    select
        applied.role,
        applied.from_id,
        applied.to_id,
        applied.currency,
        applied.happened_on,
        applied.amount,
        payment_matches.difference_amount
    from applied
    inner join payment_matches on applied.from_id = payment_matches.right_id
    inner join invoice_matches on applied.to_id = invoice_matches.right_id
    where applied.role = 'erp'
),

records as (
    select
        in_erp_words.role,
        in_erp_words.payment_id || ' → ' || in_erp_words.invoice_id as record_id,
        min(payments.label) || ' on ' || min(in_erp_words.invoice_id) as label,
        [in_erp_words.payment_id || ' → ' || in_erp_words.invoice_id] as ids,
        [cast(null as varchar)] as numbers,
        min(payments.customer_id) as customer_id,
        min(payments.legal_entity_id) as legal_entity_id,
        in_erp_words.currency,
        min(in_erp_words.happened_on) as happened_on,
        min(dates.period) as period,
        {{ money('sum(in_erp_words.amount)') }} as amount,
        min(in_erp_words.difference_amount) as payment_difference_amount,
        true as is_expected
    from in_erp_words
    left join payments on in_erp_words.payment_id = payments.payment_id
    left join {{ ref('stg_legal_entities') }} as entities on payments.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on in_erp_words.happened_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    group by in_erp_words.role, in_erp_words.payment_id, in_erp_words.invoice_id, in_erp_words.currency
),

left_records as (
    select * from records
    where role = 'billing'
),

right_records as (
    select * from records
    where role = 'erp'
),

-- Where R07 already says that the payment itself was posted short or over, the application only follows from it.
{{ reconcile_balances(
    'R08', 'billing-erp', 'billing application', 'ERP application',
    checks=[
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'consequence': true,
            'when': 'l.amount - r.amount = l.payment_difference_amount'},
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'r.amount < l.amount and l.amount - r.amount <> l.payment_difference_amount'},
        {'code': 'PAY-OVER', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'r.amount > l.amount and l.amount - r.amount <> l.payment_difference_amount'},
    ],
    left_only='PAY-UNAPPLIED', right_only='PAY-UNAPPLIED', currency_code='PAY-UNAPPLIED'
) }}

select * from reconciled
