-- R10. Left: payouts, receipts and refunds that went through no processor, and, only so that bank lines find their
-- posting, other postings to bank accounts. Right: bank lines. Credits must have a counterpart, and so must debits
-- where a ledger posts the bank.
with billed_payments as (
    select distinct right_id as payment_id from {{ ref('rec_billing_payments__erp_payments') }}
    where line_kind = 'pair' and right_id is not null
),

invoice_numbers as (
    select
        applications.from_id as payment_id,
        array_agg(distinct upper(invoices.document_number) order by upper(invoices.document_number)) as numbers
    from {{ ref('stg_applications') }} as applications
    inner join {{ ref('stg_invoices') }} as invoices on applications.to_id = invoices.invoice_id
    where invoices.document_number is not null
    group by applications.from_id
),

payouts as (
    select
        payout_id as record_id,
        source_id as label,
        'payout' as source,
        [upper(source_id), upper(trace_ref)] as ids,
        [upper(trim(descriptor))] as numbers,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as legal_entity_id,
        currency,
        coalesce(arrives_on, created_on) as happened_on,
        amount,
        status not in ('canceled', 'failed') as is_expected,
        cast(null as varchar) as repeats
    from {{ ref('stg_payouts') }}
    where status not in ('canceled')
),

all_receipts as (
    select
        payments.payment_id as record_id,
        coalesce(payments.document_number, payments.source_id) as label,
        payments.source_id,
        payments.document_number,
        payments.external_ref,
        coalesce(invoice_numbers.numbers, []) as invoice_numbers,
        coalesce(customers.customer_id, payments.customer_id) as customer_id,
        payments.legal_entity_id,
        payments.currency,
        payments.paid_on as happened_on,
        case when payments.kind = 'payment' then payments.amount else -payments.amount end as amount
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
    left join invoice_numbers on payments.payment_id = invoice_numbers.payment_id
    where
        {{ role_of('payments.payment_id') }} = 'erp'
        and payments.status = 'succeeded'
        and payments.external_ref is null
        and payments.payment_id not in (select payment_id from billed_payments)
),

repetitions as (
    {{ repeated('all_receipts') }}
),

-- What repeats a receipt must show movements of its own: it may claim a line only after the other has claimed one.
receipts as (
    select
        receipts.record_id,
        receipts.label,
        'receipt' as source,
        [upper(receipts.source_id), upper(receipts.document_number)] as ids,
        list_concat(
            receipts.invoice_numbers, coalesce(former.invoice_numbers, []), [upper(trim(receipts.document_number))]
        ) as numbers,
        receipts.customer_id,
        receipts.legal_entity_id,
        receipts.currency,
        receipts.happened_on,
        receipts.amount,
        receipts.external_ref is null and receipts.amount <> 0 as is_expected,
        repetitions.repeats
    from all_receipts as receipts
    left join repetitions on receipts.record_id = repetitions.record_id
    left join all_receipts as former on repetitions.former_id = former.record_id
),

postings as (
    select
        lines.journal_line_id as record_id,
        coalesce(events.document_number, events.source_id) as label,
        'posting' as source,
        [cast(null as varchar)] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        lines.legal_entity_id,
        coalesce(lines.transaction_currency, lines.currency) as currency,
        events.posted_on as happened_on,
        coalesce(lines.transaction_amount, lines.amount) as amount,
        false as is_expected,
        cast(null as varchar) as repeats
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    inner join {{ ref('stg_gl_accounts') }} as accounts on lines.gl_account_id = accounts.gl_account_id
    where
        accounts.kind = 'bank' and events.document_ref is null and coalesce(lines.transaction_amount, lines.amount) <> 0
),

refused_lines as (
    select
        row_key as record_id,
        json_extract_string(rows.row, '$.journal_event_id') as journal_event_id,
        json_extract_string(rows.row, '$.gl_account_id') as gl_account_id,
        json_extract_string(rows.row, '$.legal_entity_id') as legal_entity_id,
        coalesce(json_extract_string(rows.row, '$.transaction_currency'), currency) as currency,
        coalesce(try_cast(json_extract_string(rows.row, '$.transaction_amount') as decimal(18, 4)), amount) as amount
    from {{ source('quarantine', 'rows') }} as rows
    where entity = 'journal_lines'
),

refused_events as (
    select
        row_key as journal_event_id,
        max(try_cast(json_extract_string(rows.row, '$.posted_on') as date)) as posted_on
    from {{ source('quarantine', 'rows') }} as rows
    where entity = 'journal_events'
    group by row_key
),

-- A posting that the gate refused, and reports, still tells what its bank line is.
refused_postings as (
    select
        refused_lines.record_id,
        refused_lines.journal_event_id as label,
        'posting' as source,
        [cast(null as varchar)] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        refused_lines.legal_entity_id,
        refused_lines.currency,
        refused_events.posted_on as happened_on,
        refused_lines.amount,
        false as is_expected,
        cast(null as varchar) as repeats
    from refused_lines
    inner join refused_events on refused_lines.journal_event_id = refused_events.journal_event_id
    inner join {{ ref('stg_gl_accounts') }} as accounts on refused_lines.gl_account_id = accounts.gl_account_id
    where accounts.kind = 'bank' and refused_lines.amount <> 0 and refused_events.posted_on is not null
),

left_unplaced as (
    select * from payouts
    union all
    select * from receipts
    union all
    select * from postings
    union all
    select * from refused_postings
),

left_records as (
    select
        left_unplaced.*,
        case when left_unplaced.source = 'payout' then 'PAYOUT-TRANSIT' end as alone_code,
        dates.period
    from left_unplaced
    left join {{ ref('int_dates__placed') }} as dates on left_unplaced.happened_on = dates.date_on
),

right_records as (
    select
        bank.bank_transaction_id as record_id,
        coalesce(bank.bank_ref, bank.source_id) as label,
        list_concat(
            [upper(bank.end_to_end_ref), upper(bank.bank_ref)],
            string_split_regex(upper(coalesce(bank.description, '')), '[\s,;:/]+')
        ) as ids,
        list_concat(
            [upper(trim(bank.description))], string_split_regex(upper(coalesce(bank.description, '')), '[\s,;:/]+')
        ) as numbers,
        cast(null as varchar) as customer_id,
        bank.legal_entity_id,
        bank.currency,
        bank.booked_on as happened_on,
        dates.period,
        bank.amount,
        bank.amount > 0 or (select count(*) > 0 from postings) as is_expected
    from {{ ref('stg_bank_transactions') }} as bank
    left join {{ ref('int_dates__placed') }} as dates on bank.booked_on = dates.date_on
    where bank.amount <> 0
),

{{ reconcile(
    'R10', 'cash-bank', 'cash movement', 'bank line',
    passes=[
        {'rule': 'exact id and amount', 'by': 'ids', 'amount': true, 'when': 'l.repeats is null'},
        {'rule': 'exact id', 'by': 'ids',
            'when': 'l.repeats is null and l.currency = r.currency and sign(l.amount) = sign(r.amount)'},
        {'rule': 'reference and amount', 'by': 'numbers', 'amount': true, 'days': 5, 'when': 'l.repeats is null'},
        {'rule': 'amount and 3 weekdays', 'amount': true, 'days': 3,
            'when': "l.source <> 'posting' and l.repeats is null"},
        {'rule': 'reference and amount, second', 'by': 'numbers', 'amount': true, 'days': 5},
        {'rule': 'reference', 'by': 'numbers', 'days': 3,
            'when': "l.source = 'receipt' and l.repeats is null and l.currency = r.currency
                and sign(l.amount) = sign(r.amount)"},
        {'rule': 'ledger posting, same day', 'amount': true, 'days': 0, 'when': "l.source = 'posting'"},
        {'rule': 'ledger posting, 3 weekdays', 'amount': true, 'days': 3, 'when': "l.source = 'posting'"},
    ],
    checks=[
        {'code': 'PAY-FEE', 'what': 'amount, a fee deducted by the bank:', 'left': 'l.amount', 'right': 'r.amount',
            'when': "l.source = 'receipt' and l.amount > r.amount and l.amount - r.amount <= 0.05 * l.amount"},
        {'code': 'PAY-SHORT', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': "l.amount > r.amount and not (l.source = 'receipt' and l.amount - r.amount <= 0.05 * l.amount)"},
        {'code': 'PAY-OVER', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount', 'when': 'l.amount < r.amount'},
    ],
    left_only='PAY-MISSING', right_only='BANK-UNKNOWN', left_code_column='alone_code',
    left_duplicate='PAY-DUP', left_repeats='repeats'
) }}

select * from reconciled
