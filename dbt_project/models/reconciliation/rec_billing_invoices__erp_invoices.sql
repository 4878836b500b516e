-- R05. Credit memos are R06's. A void counts as nothing on its side, so that void against open shows its whole amount.
with invoices as (
    select
        invoices.invoice_id as record_id,
        {{ role_of('invoices.invoice_id') }} as role,
        coalesce(invoices.document_number, invoices.source_id) as label,
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
        coalesce(currencies.minor_units, 2) as minor_units
    from {{ ref('stg_invoices') }} as invoices
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates on invoices.issued_on = dates.date_on
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

-- Only what says that it came from elsewhere is expected in billing: an ERP also bills directly.
right_records as (
    select
        invoices.*,
        not invoices.is_void and invoices.amount <> 0 and invoices.external_ref is not null as is_expected
    from invoices
    where invoices.role = 'erp'
),

{{ reconcile(
    'R05', 'billing-erp', 'billing invoice', 'ERP invoice',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true},
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true},
        {'rule': 'number and customer', 'by': 'numbers', 'customer': true},
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
        {'code': 'INV-ENTITY', 'what': 'entity', 'left': 'l.legal_entity_id', 'right': 'r.legal_entity_id', 'money': false},
        {'code': 'INV-PERIOD', 'what': 'period of', 'left': 'cast(l.happened_on as varchar)', 'right': 'r.period',
            'money': false, 'when': 'not l.is_void and not r.is_void
                and l.happened_on not between r.period_starts_on and r.period_ends_on'},
    ],
    left_only='INV-MISSING-ERP', right_only='INV-MISSING-BILL', left_duplicate='INV-DUP', right_duplicate='INV-DUP',
    currency_code='INV-CCY'
) }}

select * from reconciled
