-- R06, first leg: credit memos of billing against those of the ERP. Refunds are the second leg's.
with credits as (
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
        invoices.status = 'void' as is_void,
        case when invoices.status = 'void' then 0 else invoices.total_amount end as amount,
        case when invoices.status = 'void' then 0 else invoices.net_amount end as net_amount,
        case when invoices.status = 'void' then 0 else invoices.tax_amount end as tax_amount,
        invoices.external_ref,
        case coalesce(currencies.minor_units, 2) when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end
            as minor_unit
    from {{ ref('stg_invoices') }} as invoices
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates on invoices.issued_on = dates.date_on
    left join {{ ref('stg_accounting_periods') }} as posted
        on invoices.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
    left join {{ source('reference', 'currencies') }} as currencies on invoices.currency = currencies.code
    where invoices.kind = 'credit_memo' and invoices.status <> 'draft'
),

left_records as (
    select
        *,
        not is_void and amount <> 0 as is_expected
    from credits
    where role = 'billing'
),

-- Only what says that it came from elsewhere is expected in billing.
right_records as (
    select
        *,
        not is_void and amount <> 0 and external_ref is not null as is_expected
    from credits
    where role = 'erp'
),

{{ reconcile(
    'R06', 'billing-erp', 'billing credit', 'ERP credit memo',
    passes=[
        {'rule': 'exact id', 'by': 'ids', 'first': true},
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true},
        {'rule': 'amount, 3 days and customer', 'amount': true, 'days': 3, 'customer': true,
            'when': 'l.amount <> 0 and r.external_ref is null'},
    ],
    checks=[
        {'code': 'INV-VOID-OPEN', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'l.is_void or r.is_void'},
        {'code': 'INV-AMOUNT', 'what': 'net amount', 'left': 'l.net_amount', 'right': 'r.net_amount',
            'when': 'not l.is_void and not r.is_void'},
        {'code': 'INV-TAX', 'what': 'tax', 'left': 'l.tax_amount', 'right': 'r.tax_amount',
            'when': 'not l.is_void and not r.is_void', 'tolerance': 'l.minor_unit'},
        {'code': 'INV-WRONG-CUST', 'what': 'customer', 'left': 'l.customer_id', 'right': 'r.customer_id', 'money': false},
    ],
    left_only='INV-MISSING-ERP', right_only='INV-MISSING-BILL', left_duplicate='INV-DUP', right_duplicate='INV-DUP',
    currency_code='INV-CCY'
) }}

select * from reconciled
