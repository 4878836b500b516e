-- R18, lines: the tax that a document charges against the tax that its lines owe: rate × base where a line states its
-- rate, else the tax that the line itself states. One minor unit a line is rounding. Documents whose lines state
-- neither are not judged: the ERP states tax by document, and R05 compares it with billing's.
with minor_units as (
    select
        code as currency,
        minor_units,
        case minor_units when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end as minor_unit
    from {{ source('reference', 'currencies') }}
),

due as (
    select
        lines.invoice_id,
        sum(
            case
                when lines.tax_pct is null then lines.tax_amount
                else
                    {{ converted(
                        'lines.net_amount', "lines.tax_pct * cast('0.01' as decimal(3, 2))", 'minor_units.minor_units'
                    ) }}
            end
        ) as amount,
        count(*) as line_count,
        min(minor_units.minor_unit) as minor_unit
    from {{ ref('stg_invoice_lines') }} as lines
    inner join minor_units on lines.currency = minor_units.currency
    group by lines.invoice_id
    having count(*) = count(coalesce(lines.tax_pct, lines.tax_amount))
),

-- What differs from the ERP by the same amount is R05's, and only follows here.
between_systems as (
    select
        left_id as invoice_id,
        sum(explained_amount) as amount
    from {{ ref('rec_billing_invoices__erp_invoices') }}
    where line_kind = 'finding' and code = 'INV-TAX' and left_id is not null
    group by left_id
),

judged as (
    select
        invoices.invoice_id,
        coalesce(invoices.document_number, invoices.source_id) as document,
        coalesce(customers.customer_id, invoices.customer_id) as customer_id,
        coalesce(invoices.legal_entity_id, 'unassigned') as legal_entity_id,
        invoices.currency,
        invoices.issued_on,
        dates.period,
        invoices.tax_amount as charged_amount,
        {{ money('due.amount') }} as due_amount,
        {{ money('due.line_count * due.minor_unit') }} as tolerance_amount,
        coalesce(between_systems.amount = invoices.tax_amount - due.amount, false) as is_between_systems
    from {{ ref('stg_invoices') }} as invoices
    inner join due on invoices.invoice_id = due.invoice_id
    left join between_systems on invoices.invoice_id = between_systems.invoice_id
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    left join {{ ref('stg_legal_entities') }} as entities on invoices.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on invoices.issued_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    where invoices.status = 'posted' and (invoices.tax_amount <> 0 or due.amount <> 0)
),

records as (
    select
        invoice_id as record_id,
        document as label,
        [invoice_id] as ids,
        [cast(null as varchar)] as numbers,
        customer_id,
        legal_entity_id,
        currency,
        issued_on as happened_on,
        period,
        charged_amount,
        due_amount,
        tolerance_amount,
        is_between_systems,
        true as is_expected
    from judged
),

left_records as (
    select
        *,
        charged_amount as amount
    from records
),

right_records as (
    select
        *,
        due_amount as amount
    from records
),

{% set is_rounding = 'abs(l.amount - r.amount) <= l.tolerance_amount' -%}
{{ reconcile_balances(
    'R18', 'charged-due', 'document', 'tax due by line',
    checks=[
        {'code': 'INV-TAX', 'what': 'tax', 'left': 'l.amount', 'right': 'r.amount', 'rounding': true,
            'when': is_rounding},
        {'code': 'INV-TAX', 'what': 'tax', 'left': 'l.amount', 'right': 'r.amount', 'consequence': true,
            'when': 'not ' ~ is_rounding ~ ' and l.is_between_systems'},
        {'code': 'INV-TAX', 'what': 'tax', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'not ' ~ is_rounding ~ ' and not l.is_between_systems'},
    ]
) }}

select * from reconciled
