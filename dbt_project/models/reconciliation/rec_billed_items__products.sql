-- R02, products: what invoices bill against the products that another system knows by code or name. Products that are
-- known stand here once per currency; a line whose item nobody else knows stands by itself, and by month once there
-- are more than `flood_limit` of them. Discounts, taxes, freight and other charges have no product.
with chosen as (
    select role from {{ ref('int_authority__chosen') }}
    where subject = 'invoices'
),

catalogues as (
    select count(distinct role) > 1 as is_shared from {{ ref('int_products__matched') }}
),

billed as (
    select
        lines.invoice_line_id,
        lines.product_id,
        lines.currency,
        lines.net_amount as amount,
        invoices.issued_on,
        coalesce(invoices.document_number, invoices.source_id) as document,
        invoices.legal_entity_id,
        coalesce(customers.customer_id, invoices.customer_id) as customer_id,
        coalesce(products.is_shared, false) as is_known,
        count(*) over (partition by lines.product_id) > {{ var('flood_limit') }} as is_flood
    from {{ ref('stg_invoice_lines') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
    inner join chosen on {{ role_of('invoices.invoice_id') }} = chosen.role
    cross join catalogues
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    where
        catalogues.is_shared
        and invoices.kind = 'invoice' and invoices.status = 'posted'
        and lines.product_id is not null and lines.net_amount > 0
        and not regexp_matches(
            lower(coalesce(products.family, '')),
            '(discount|markup|tax|subtotal|payment|ship|freight|othcharge|other charge)'
        )
),

keyed as (
    select
        *,
        case
            when is_known then product_id || '|' || currency
            when is_flood then product_id || '|' || currency || '|' || strftime(issued_on, '%Y-%m')
            else invoice_line_id
        end as record_key
    from billed
),

left_records as (
    select
        keyed.record_key as record_id,
        case when count(*) = 1 then min(keyed.product_id) || ' on ' || min(keyed.document) else keyed.record_key end
            as label,
        [keyed.record_key] as ids,
        [cast(null as varchar)] as numbers,
        case when count(distinct keyed.customer_id) = 1 then min(keyed.customer_id) end as customer_id,
        case when count(distinct keyed.legal_entity_id) = 1 then min(keyed.legal_entity_id) else 'all' end
            as legal_entity_id,
        keyed.currency,
        max(keyed.issued_on) as happened_on,
        case when keyed.is_known then null else min(dates.period) end as period,
        {{ money('sum(keyed.amount)') }} as amount,
        keyed.is_known,
        true as is_expected
    from keyed
    left join {{ ref('int_dates__placed') }} as dates on keyed.issued_on = dates.date_on
    group by keyed.record_key, keyed.currency, keyed.is_known
),

right_records as (
    select * replace (cast(null as date) as happened_on) from left_records
    where is_known
),

{{ reconcile_balances(
    'R02', 'billed-product', 'billed item', 'product in another system', left_only='PRD-UNMAPPED', right_must_exist=false
) }}

select * from reconciled
