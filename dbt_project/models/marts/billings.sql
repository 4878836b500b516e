with documents as (
    select * from {{ ref('int_documents__posted') }}
    where kind <> 'write_off'
),

stated_lines as (
    select
        lines.*,
        count(*) over (partition by lines.invoice_id) = count(lines.tax_amount) over (partition by lines.invoice_id)
            as has_line_tax
    from {{ ref('stg_invoice_lines') }} as lines
),

-- Tax stated by document only is allocated to its lines by their net amounts.
lines as (
    select
        documents.invoice_id,
        stated_lines.invoice_line_id,
        stated_lines.line_number,
        stated_lines.product_id,
        stated_lines.description,
        stated_lines.quantity,
        stated_lines.service_starts_on,
        stated_lines.service_ends_on,
        stated_lines.gross_amount,
        stated_lines.discount_amount,
        stated_lines.net_amount,
        case
            when stated_lines.has_line_tax then stated_lines.tax_amount
            else coalesce({{ allocated('documents.tax_amount', 'stated_lines.net_amount', 'stated_lines.invoice_id',
                'stated_lines.line_number, stated_lines.invoice_line_id', 'coalesce(documents.minor_units, 2)') }}, 0)
        end as tax_amount
    from stated_lines
    inner join documents on stated_lines.invoice_id = documents.invoice_id
),

line_totals as (
    select
        invoice_id,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        sum(tax_amount) as tax_amount
    from lines
    group by invoice_id
),

-- What the document states beyond its lines: all of it when there are none.
rests as (
    select
        documents.invoice_id,
        line_totals.invoice_id is null as is_whole,
        documents.gross_amount - coalesce(line_totals.gross_amount, 0) as gross_amount,
        documents.discount_amount - coalesce(line_totals.discount_amount, 0) as discount_amount,
        documents.net_amount - coalesce(line_totals.net_amount, 0) as net_amount,
        documents.tax_amount - coalesce(line_totals.tax_amount, 0) as tax_amount
    from documents
    left join line_totals on documents.invoice_id = line_totals.invoice_id
),

parts as (
    select
        invoice_id,
        invoice_line_id as part_id,
        invoice_line_id,
        'line' as row_kind,
        line_number,
        product_id,
        description,
        quantity,
        service_starts_on,
        service_ends_on,
        gross_amount,
        discount_amount,
        net_amount,
        tax_amount
    from lines
    union all
    select
        invoice_id,
        invoice_id || case when is_whole then '' else '/unallocated' end,
        null,
        case when is_whole then 'document' else 'unallocated' end,
        null,
        null,
        null,
        null,
        null,
        null,
        gross_amount,
        discount_amount,
        net_amount,
        tax_amount
    from rests
    where is_whole or gross_amount <> 0 or discount_amount <> 0 or net_amount <> 0 or tax_amount <> 0
),

valued as (
    select
        parts.* exclude (gross_amount, discount_amount, net_amount, tax_amount),
        documents.direction * parts.gross_amount as gross_amount,
        documents.direction * parts.discount_amount as discount_amount,
        documents.direction * parts.net_amount as net_amount,
        documents.direction * parts.tax_amount as tax_amount,
        documents.direction * {{ converted_lines('parts.net_amount', 'documents.functional_rate',
            'documents.functional_minor_units', 'parts.invoice_id', 'parts.line_number nulls last, parts.part_id') }}
            as functional_net_amount,
        documents.direction * {{ converted_lines('parts.net_amount', 'documents.reporting_rate',
            'documents.reporting_minor_units', 'parts.invoice_id', 'parts.line_number nulls last, parts.part_id') }}
            as reporting_net_amount
    from parts
    inner join documents on parts.invoice_id = documents.invoice_id
),

-- A void after posting is not an erasure: the posting stands, and its reversal is dated on the day of the void.
postings as (
    select
        part_id as billing_id,
        1 as sign,
        false as is_reversal,
        cast(null as date) as reversed_on,
        valued.*
    from valued
    union all
    select
        valued.part_id || '/void',
        -1,
        true,
        documents.voided_on,
        valued.*
    from valued
    inner join documents on valued.invoice_id = documents.invoice_id
    where documents.voided_on is not null
),

billed as (
    select
        postings.billing_id,
        postings.invoice_id,
        postings.invoice_line_id,
        documents.kind,
        postings.row_kind,
        postings.is_reversal,
        documents.document_number,
        documents.customer_id,
        documents.source_customer_id,
        documents.legal_entity_id,
        documents.contract_id,
        documents.opportunity_ref,
        documents.original_invoice_id,
        postings.product_id,
        postings.description,
        postings.quantity,
        postings.service_starts_on,
        postings.service_ends_on,
        coalesce(postings.reversed_on, documents.issued_on) as billed_on,
        documents.due_on,
        coalesce(reversed.period, documents.period) as period,
        coalesce(reversed.period_ends_on, documents.period_ends_on) as period_ends_on,
        coalesce(reversed.quarter, documents.quarter) as quarter,
        documents.currency,
        {{ money('postings.sign * postings.gross_amount') }} as gross_amount,
        {{ money('postings.sign * postings.discount_amount') }} as discount_amount,
        {{ money('postings.sign * postings.net_amount') }} as net_amount,
        {{ money('postings.sign * postings.tax_amount') }} as tax_amount,
        {{ money('postings.sign * (postings.net_amount + postings.tax_amount)') }} as total_amount,
        documents.functional_currency,
        {{ rate('documents.functional_rate') }} as functional_rate,
        {{ money('postings.sign * postings.functional_net_amount') }} as functional_net_amount,
        documents.reporting_currency,
        {{ rate('documents.reporting_rate') }} as reporting_rate,
        {{ money('postings.sign * postings.reporting_net_amount') }} as reporting_net_amount,
        documents.system
    from postings
    inner join documents on postings.invoice_id = documents.invoice_id
    left join {{ ref('int_dates__placed') }} as reversed on postings.reversed_on = reversed.date_on
)

select * from billed
