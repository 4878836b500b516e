-- R05. Credit memos are R06's. A void counts as nothing on its side, so that void against open shows its whole amount.
with invoices as (
    select
        invoices.invoice_id as record_id,
        {{ role_of('invoices.invoice_id') }} as role,
        coalesce(invoices.document_number, invoices.source_id) as label,
        invoices.document_number,
        [invoices.source_id, invoices.external_ref] as ids,
        [upper(trim(invoices.document_number))] as numbers,
        coalesce(customers.customer_id, invoices.customer_id) as customer_id,
        invoices.legal_entity_id,
        invoices.currency,
        invoices.issued_on as happened_on,
        coalesce(posted.name, dates.period) as period,
        coalesce(posted.starts_on, dates.period_starts_on) as period_starts_on,
        coalesce(posted.ends_on, dates.period_ends_on) as period_ends_on,
        invoices.status = 'void' as is_void,
        case when invoices.status = 'void' then 0 else invoices.total_amount end as amount,
        case when invoices.status = 'void' then 0 else invoices.net_amount end as net_amount,
        case when invoices.status = 'void' then 0 else invoices.tax_amount end as tax_amount,
        invoices.external_ref,
        posted.name as stated_period,
        not posted.is_adjustment and invoices.issued_on not between posted.starts_on and posted.ends_on
            as is_out_of_period,
        case
            when
                invoices.legal_entity_id not in (select legal_entity_id from {{ ref('stg_legal_entities') }})
                and exists (select 1 from {{ ref('stg_legal_entities') }})
                then invoices.legal_entity_id
        end as unknown_entity_id,
        coalesce(currencies.minor_units, 2) as minor_units
    from {{ ref('stg_invoices') }} as invoices
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    left join {{ ref('stg_legal_entities') }} as entities on invoices.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on invoices.issued_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as posted
        on invoices.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
    left join {{ source('reference', 'currencies') }} as currencies on invoices.currency = currencies.code
    where invoices.kind = 'invoice' and invoices.status <> 'draft'
),

line_counts as (
    select
        invoice_id,
        count(*) as line_count
    from {{ ref('stg_invoice_lines') }}
    group by invoice_id
),

left_records as (
    select
        invoices.*,
        not invoices.is_void and invoices.amount <> 0 as is_expected,
        coalesce(line_counts.line_count, 1) as line_count
    from invoices
    left join line_counts on invoices.record_id = line_counts.invoice_id
    where invoices.role = 'billing'
),

erp_invoices as (
    select * from invoices
    where role = 'erp'
),

repetitions as (
    {{ repeated('erp_invoices') }}
),

-- An ERP also bills directly: expected in billing is what says that it came from there, and what is billed to a
-- customer whom billing invoices.
billed_customers as (
    select distinct customer_id from left_records
    where customer_id is not null
),

right_records as (
    select
        erp_invoices.*,
        repetitions.repeats,
        not erp_invoices.is_void
        and erp_invoices.amount <> 0
        and (
            erp_invoices.external_ref is not null
            or repetitions.record_id is not null
            or billed_customers.customer_id is not null
        ) as is_expected
    from erp_invoices
    left join repetitions on erp_invoices.record_id = repetitions.record_id
    left join billed_customers on erp_invoices.customer_id = billed_customers.customer_id
),

{{ reconcile(
    'R05', 'billing-erp', 'billing invoice', 'ERP invoice',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true},
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true, 'when': 'r.repeats is null'},
        {'rule': 'number and customer', 'by': 'numbers', 'customer': true, 'when': 'r.repeats is null'},
        {'rule': 'amount, 3 days and customer', 'amount': true, 'days': 3, 'customer': true,
            'when': 'l.amount <> 0 and r.external_ref is null'},
    ],
    checks=[
        {'code': 'INV-VOID-OPEN', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'l.is_void or r.is_void'},
        {'code': 'INV-AMOUNT', 'what': 'net amount', 'left': 'l.net_amount', 'right': 'r.net_amount',
            'when': 'not l.is_void and not r.is_void'},
        {'code': 'INV-TAX', 'what': 'tax', 'left': 'l.tax_amount', 'right': 'r.tax_amount',
            'when': 'not l.is_void and not r.is_void',
            'tolerance': 'l.line_count * case l.minor_units when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end'},
        {'code': 'INV-ENTITY', 'what': 'entity', 'left': 'l.legal_entity_id', 'right': 'r.legal_entity_id', 'money': false,
            'when': 'l.unknown_entity_id is null and r.unknown_entity_id is null'},
        {'code': 'INV-PERIOD', 'what': 'period of', 'left': 'cast(l.happened_on as varchar)', 'right': 'r.period',
            'money': false, 'when': 'not l.is_void and not r.is_void
                and l.happened_on not between r.period_starts_on and r.period_ends_on'},
        {'code': 'INV-PERIOD', 'what': 'period and date of', 'left': 'r.period', 'right': 'cast(r.happened_on as varchar)',
            'money': false, 'when': 'not l.is_void and not r.is_void and r.is_out_of_period
                and l.happened_on between r.period_starts_on and r.period_ends_on'},
        {'code': 'INV-WRONG-CUST', 'what': 'customer', 'left': 'l.customer_id', 'right': 'r.customer_id', 'money': false},
    ],
    record_checks=[
        {'code': 'ENT-UNROUTED', 'side': 'left', 'when': 'x.unknown_entity_id is not null',
            'sentence': "concat('billing invoice ', x.label, ' names entity ', x.unknown_entity_id, ', which is none')"},
        {'code': 'ENT-UNROUTED', 'side': 'right', 'when': 'x.unknown_entity_id is not null',
            'sentence': "concat('ERP invoice ', x.label, ' names entity ', x.unknown_entity_id, ', which is none')"},
        {'code': 'INV-PERIOD', 'side': 'right', 'unmatched': true, 'when': 'x.is_out_of_period and not x.is_void',
            'sentence': "concat('ERP invoice ', x.label, ' of ', x.happened_on, ' is posted in ', x.stated_period)"},
    ],
    left_only='INV-MISSING-ERP', right_only='INV-MISSING-BILL', left_duplicate='INV-DUP', right_duplicate='INV-DUP',
    right_repeats='repeats',     currency_code='INV-CCY'
) }}

select * from reconciled
