-- Every link twice, once from either end, sorted by the end it starts from: a walk reads a few neighbours at a time.
with records as (
    select
        record_number,
        entity,
        record_id
    from {{ ref('records') }}
),

-- Records of two systems that a reconciliation found to be one.
same as (
    {%- for leg, entity, what in [
        ('rec_billing_invoices__erp_invoices', 'invoices', 'same document'),
        ('rec_billing_credits__erp_credits', 'invoices', 'same document'),
        ('rec_billing_payments__erp_payments', 'payments', 'same payment'),
    ] %}
        select distinct
            '{{ entity }}' as upper_entity,
            left_id as upper_id,
            '{{ entity }}' as lower_entity,
            right_id as lower_id,
            '{{ what }}' as relation,
            reconciliation_id || ': ' || rule as rule
        from {{ ref(leg) }}
        where line_kind = 'pair' and left_id is not null and right_id is not null
        union all
    {%- endfor %}
    -- Refunds and chargebacks: as they state each other.
    select distinct
        'payments',
        least(payments.payment_id, others.payment_id),
        'payments',
        greatest(payments.payment_id, others.payment_id),
        'same payment',
        'states external_ref'
    from {{ ref('stg_payments') }} as payments
    inner join {{ ref('stg_payments') }} as others on payments.external_ref = others.source_id
    where
        payments.kind <> 'payment'
        and payments.kind = others.kind
        and {{ role_of('payments.payment_id') }} <> {{ role_of('others.payment_id') }}
),

deals as (
    select
        'contracts' as upper_entity,
        contract_id as upper_id,
        'opportunities' as lower_entity,
        opportunity_id as lower_id,
        'deal under contract' as relation,
        'states contract_id' as rule
    from {{ ref('stg_opportunities') }}
    where contract_id is not null
    union all
    select
        'opportunities',
        opportunity_id,
        'orders',
        order_id,
        'order of deal',
        'states opportunity_id'
    from {{ ref('stg_orders') }}
    where opportunity_id is not null
    union all
    select
        'opportunities',
        opportunities.opportunity_id,
        'orders',
        opportunities.order_ref,
        'order of deal',
        'states order_ref'
    from {{ ref('stg_opportunities') }} as opportunities
    left join {{ ref('stg_orders') }} as orders
        on opportunities.order_ref = orders.order_id and opportunities.opportunity_id = orders.opportunity_id
    where opportunities.order_ref is not null and orders.order_id is null
),

billed as (
    select
        'opportunities' as upper_entity,
        opportunity_ref as upper_id,
        'invoices' as lower_entity,
        invoice_id as lower_id,
        'invoice of deal' as relation,
        'states opportunity_ref' as rule
    from {{ ref('stg_invoices') }}
    where opportunity_ref is not null
    union all
    select distinct
        'opportunities',
        billed.opportunity_id,
        'invoices',
        billed.invoice_id,
        'invoice of deal',
        'same customer, product and service'
    from {{ ref('int_bookings__billed') }} as billed
    inner join {{ ref('stg_invoices') }} as invoices on billed.invoice_id = invoices.invoice_id
    where coalesce(invoices.opportunity_ref, '') <> billed.opportunity_id
    union all
    select
        'contracts',
        contract_id,
        'invoices',
        invoice_id,
        'invoice under contract',
        'states contract_id'
    from {{ ref('stg_invoices') }}
    where contract_id is not null
    union all
    select
        'invoices',
        original_invoice_id,
        'invoices',
        invoice_id,
        'correction of document',
        'states original_invoice_id'
    from {{ ref('stg_invoices') }}
    where original_invoice_id is not null
),

applied as (
    select
        case when kind in ('refund_to_payment', 'chargeback_to_payment') then 'payments' else 'invoices' end
            as upper_entity,
        to_id as upper_id,
        'applications' as lower_entity,
        application_id as lower_id,
        'application to it' as relation,
        'states to_id' as rule
    from {{ ref('stg_applications') }}
    union all
    select
        'applications',
        application_id,
        case when kind in ('credit_to_invoice', 'write_off_to_invoice') then 'invoices' else 'payments' end,
        from_id,
        'what is applied',
        'states from_id'
    from {{ ref('stg_applications') }}
),

paid as (
    select
        'payments' as upper_entity,
        right_id as upper_id,
        'processor_transactions' as lower_entity,
        left_id as lower_id,
        'movement of payment' as relation,
        reconciliation_id || ': ' || rule as rule
    from {{ ref('rec_processor_charges__billing_payments') }}
    where line_kind = 'pair' and left_id is not null and right_id is not null
    union all
    select
        'payments',
        payments.payment_id,
        'processor_transactions',
        movements.processor_transaction_id,
        'movement of payment',
        'states source_ref'
    from {{ ref('stg_processor_transactions') }} as movements
    inner join {{ ref('stg_payments') }} as payments
        on
            movements.source_ref = payments.source_id
            and {{ role_of('movements.processor_transaction_id') }} = {{ role_of('payments.payment_id') }}
    where movements.kind <> 'charge'
    union all
    select
        'payments',
        original_payment_id,
        'payments',
        payment_id,
        'return of payment',
        'states original_payment_id'
    from {{ ref('stg_payments') }}
    where original_payment_id is not null
    union all
    select
        'processor_transactions',
        processor_transaction_id,
        'payouts',
        payout_id,
        'payout of movement',
        'states payout_id'
    from {{ ref('stg_processor_transactions') }}
    where payout_id is not null
    union all
    select
        'processor_transactions',
        movements.processor_transaction_id,
        'payouts',
        payouts.payout_id,
        'payout of movement',
        'states source_ref'
    from {{ ref('stg_processor_transactions') }} as movements
    inner join {{ ref('stg_payouts') }} as payouts on movements.source_ref = payouts.source_id
    where movements.kind = 'payout' and movements.payout_id is distinct from payouts.payout_id
),

banked as (
    select
        case
            when payouts.payout_id is not null then 'payouts'
            when lines.journal_line_id is not null then 'journal_events'
            else 'payments'
        end as upper_entity,
        coalesce(lines.journal_event_id, pairs.left_id) as upper_id,
        'bank_transactions' as lower_entity,
        pairs.right_id as lower_id,
        'bank line' as relation,
        pairs.reconciliation_id || ': ' || pairs.rule as rule
    from {{ ref('rec_cash_movements__bank_lines') }} as pairs
    left join {{ ref('stg_payouts') }} as payouts on pairs.left_id = payouts.payout_id
    left join {{ ref('stg_journal_lines') }} as lines on pairs.left_id = lines.journal_line_id
    where pairs.line_kind = 'pair' and pairs.left_id is not null and pairs.right_id is not null
),

posted as (
    select
        case when invoices.invoice_id is not null then 'invoices' else 'payments' end as upper_entity,
        events.document_ref as upper_id,
        'journal_events' as lower_entity,
        events.journal_event_id as lower_id,
        'posting of it' as relation,
        'states document_ref' as rule
    from {{ ref('stg_journal_events') }} as events
    left join {{ ref('stg_invoices') }} as invoices on events.document_ref = invoices.invoice_id
    where events.document_ref is not null
),

found as (
    select
        *,
        true as is_same
    from same
    {%- for step in ['deals', 'billed', 'applied', 'paid', 'banked', 'posted'] %}
        union all
        select
            *,
            false
        from {{ step }}
    {%- endfor %}
),

-- Two systems may state a record that neither delivered: such a link leads nowhere and is left out.
numbered as (
    select
        uppers.record_number as upper_number,
        lowers.record_number as lower_number,
        found.relation,
        min(found.rule) as rule,
        found.is_same
    from found
    inner join records as uppers on found.upper_entity = uppers.entity and found.upper_id = uppers.record_id
    inner join records as lowers on found.lower_entity = lowers.entity and found.lower_id = lowers.record_id
    group by uppers.record_number, lowers.record_number, found.relation, found.is_same
),

both_ends as (
    select
        upper_number as record_number,
        lower_number as linked_number,
        case when is_same then 'same' else 'down' end as direction,
        relation,
        rule
    from numbered
    union all
    select
        lower_number,
        upper_number,
        case when is_same then 'same' else 'up' end,
        relation,
        rule
    from numbered
)

select * from both_ends
order by record_number, linked_number, relation
