-- Sorted by customer and day, so that the records of one chain lie together: a reader that asks for a few numbers
-- touches little of the file.
{%- set entities = {
    'opportunities': ['opportunity_id', "case when is_won then 'won' when is_closed then 'lost' else 'open' end", 'stage',
        'name', 'cast(null as varchar)', 'customer_id', 'coalesce(signed_on, closes_on)', 'amount'],
    'contracts': ['contract_id', "'contract'", 'status', 'contract_number', 'cast(null as varchar)', 'customer_id',
        'coalesce(signed_on, starts_on)', 'cast(null as decimal(18, 4))'],
    'orders': ['order_id', "'order'", 'status', 'order_number', 'cast(null as varchar)', 'customer_id', 'ordered_on',
        'total_amount'],
    'invoices': ['invoice_id', 'kind', 'status', 'document_number', 'external_ref', 'customer_id', 'issued_on',
        'total_amount'],
    'applications': ['application_id', 'kind', "'applied'", 'cast(null as varchar)', 'cast(null as varchar)', none,
        'applied_on', 'amount'],
    'payments': ['payment_id', 'kind', 'status', 'document_number', 'external_ref', 'customer_id', 'paid_on', 'amount'],
    'processor_transactions': ['processor_transaction_id', 'kind', 'native_kind', 'cast(null as varchar)', 'source_ref',
        none, 'created_on', 'net_amount'],
    'payouts': ['payout_id', "'payout'", 'status', 'trace_ref', 'descriptor', none, 'created_on', 'amount'],
    'bank_transactions': ['bank_transaction_id', "'bank line'", "'booked'", 'bank_ref', 'end_to_end_ref', none,
        'booked_on', 'amount'],
    'journal_events': ['journal_event_id', "case when document_ref is null then 'journal' else 'posting' end", 'book',
        'document_number', 'cast(null as varchar)', none, 'posted_on', 'cast(null as decimal(18, 4))'],
} %}
with kept as (
    {%- for entity, (key, kind, status, number, reference, customer, happened_on, amount) in entities.items() %}
        select
            '{{ entity }}' as entity,
            {{ key }} as record_id,
            {{ kind }} as kind,
            {{ status }} as status,
            {{ number }} as number,
            {{ reference }} as reference,
            {{ customer or 'cast(null as varchar)' }} as source_customer_id,
            {{ happened_on }} as happened_on,
            {{ 'cast(null as varchar)' if entity == 'journal_events' else 'currency' }} as currency,
            {{ amount }} as amount,
            system,
            source_table,
            load_seq,
            row_number
        from {{ ref('stg_' ~ entity) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- What names no customer lies with the document that it belongs to.
paid as (
    select
        applications.application_id as record_id,
        coalesce(invoices.customer_id, payments.customer_id) as source_customer_id
    from {{ ref('stg_applications') }} as applications
    left join {{ ref('stg_invoices') }} as invoices on applications.to_id = invoices.invoice_id
    left join {{ ref('stg_payments') }} as payments on applications.to_id = payments.payment_id
),

moved as (
    select
        movements.processor_transaction_id as record_id,
        min(payments.customer_id) as source_customer_id
    from {{ ref('stg_processor_transactions') }} as movements
    inner join {{ ref('stg_payments') }} as payments
        on
            movements.source_ref = payments.source_id
            and {{ role_of('movements.processor_transaction_id') }} = {{ role_of('payments.payment_id') }}
    group by movements.processor_transaction_id
),

posted as (
    select
        events.journal_event_id as record_id,
        coalesce(invoices.customer_id, payments.customer_id) as source_customer_id
    from {{ ref('stg_journal_events') }} as events
    left join {{ ref('stg_invoices') }} as invoices on events.document_ref = invoices.invoice_id
    left join {{ ref('stg_payments') }} as payments on events.document_ref = payments.payment_id
    where events.document_ref is not null
),

owners as (
    select
        'applications' as entity,
        *
    from paid
    union all
    select
        'processor_transactions',
        *
    from moved
    union all
    select
        'journal_events',
        *
    from posted
),

placed as (
    select
        kept.*,
        coalesce(customers.customer_id, kept.source_customer_id, owners.source_customer_id) as customer_id
    from kept
    left join owners on kept.entity = owners.entity and kept.record_id = owners.record_id
    left join {{ ref('int_customers__identified') }} as customers
        on coalesce(kept.source_customer_id, owners.source_customer_id) = customers.source_customer_id
),

-- Numbered within each customer, from where the customer before ends: one window over everything is held in memory.
starts as (
    select
        customer_id,
        sum(count(*)) over (order by customer_id nulls last) - count(*) as records_before
    from placed
    group by customer_id
),

numbered as (
    select
        cast(starts.records_before + row_number() over (
            partition by placed.customer_id
            order by placed.happened_on nulls first, placed.entity, placed.record_id
        ) as integer) as record_number,
        placed.entity,
        placed.record_id,
        placed.kind,
        placed.status,
        placed.number,
        placed.reference,
        placed.customer_id,
        placed.happened_on,
        placed.currency,
        {{ money('placed.amount') }} as amount,
        placed.system,
        placed.source_table,
        placed.load_seq,
        placed.row_number
    from placed
    inner join starts on placed.customer_id is not distinct from starts.customer_id
)

select * from numbered
order by record_number
