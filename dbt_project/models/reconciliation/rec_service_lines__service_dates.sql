-- R12, dates: lines of a service against the dates that say when it is rendered. A product is a service over time
-- when the catalogue calls it recurring, or when nine in ten of its lines state dates. Lines with dates stand here
-- once per product and currency. Without any dated line the company keeps no service dates, and there is nothing to
-- judge.
with chosen as (
    select role from {{ ref('int_authority__chosen') }}
    where subject = 'invoices'
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
        products.shared_charge_kind as charge_kind,
        lines.service_starts_on is not null and lines.service_ends_on is not null as is_dated
    from {{ ref('stg_invoice_lines') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
    inner join chosen on {{ role_of('invoices.invoice_id') }} = chosen.role
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    where invoices.kind = 'invoice' and invoices.status = 'posted' and lines.net_amount > 0
),

judged as (
    select
        *,
        coalesce(charge_kind = 'recurring', false)
        or (
            charge_kind is null
            and count(case when is_dated then 1 end) over (partition by product_id) * 10
            >= count(*) over (partition by product_id) * 9
        ) as is_service,
        count(case when is_dated then 1 end) over () > 0 as keeps_dates
    from billed
),

keyed as (
    select
        *,
        case when is_dated then coalesce(product_id, 'no product') || '|' || currency else invoice_line_id end
            as record_key
    from judged
    where is_service and keeps_dates
),

left_records as (
    select
        keyed.record_key as record_id,
        case when keyed.is_dated then keyed.record_key else min(keyed.product_id) || ' on ' || min(keyed.document) end
            as label,
        [keyed.record_key] as ids,
        [cast(null as varchar)] as numbers,
        case when not keyed.is_dated then min(keyed.customer_id) end as customer_id,
        case when keyed.is_dated then 'all' else min(keyed.legal_entity_id) end as legal_entity_id,
        keyed.currency,
        max(keyed.issued_on) as happened_on,
        case when not keyed.is_dated then min(dates.period) end as period,
        {{ money('sum(keyed.amount)') }} as amount,
        keyed.is_dated,
        true as is_expected
    from keyed
    left join {{ ref('int_dates__placed') }} as dates on keyed.issued_on = dates.date_on
    group by keyed.record_key, keyed.currency, keyed.is_dated
),

right_records as (
    select * replace (cast(null as date) as happened_on) from left_records
    where is_dated
),

{{ reconcile_balances(
    'R12', 'line-dates', 'line of service', 'service date', left_only='REV-NO-DATES', right_must_exist=false
) }}

select * from reconciled
