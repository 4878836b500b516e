-- R04, discounts: those that billing gave on invoice lines and that say when they end, against those that had not
-- ended. A discount has ended when both the invoice and the service it bills come after its last day: an invoice that
-- is late still bills its time at its price. Ended ones stand here by invoice, others by subscription and currency.
with given as (
    select
        lines.invoice_id,
        coalesce(lines.contract_id, invoices.contract_id, 'no subscription') as subscription_id,
        lines.currency,
        lines.discount_amount as amount,
        lines.discount_ends_on,
        invoices.issued_on,
        coalesce(invoices.document_number, invoices.source_id) as document,
        invoices.legal_entity_id,
        coalesce(customers.customer_id, invoices.customer_id) as customer_id,
        least(invoices.issued_on, lines.service_starts_on) > lines.discount_ends_on as has_ended
    from {{ ref('stg_invoice_lines') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
    left join {{ ref('int_customers__identified') }} as customers
        on invoices.customer_id = customers.source_customer_id
    where
        {{ role_of('invoices.invoice_id') }} = 'billing'
        and invoices.kind = 'invoice' and invoices.status = 'posted'
        and lines.discount_amount > 0 and lines.discount_ends_on is not null
),

keyed as (
    select
        *,
        case when has_ended then invoice_id else subscription_id || '|' || currency end as record_key
    from given
),

left_records as (
    select
        keyed.record_key as record_id,
        case
            when keyed.has_ended
                then 'on ' || min(keyed.document) || ', ended on ' || min(keyed.discount_ends_on) || ','
            else keyed.record_key
        end as label,
        [keyed.record_key] as ids,
        [cast(null as varchar)] as numbers,
        min(keyed.customer_id) as customer_id,
        case when count(distinct keyed.legal_entity_id) = 1 then min(keyed.legal_entity_id) else 'all' end
            as legal_entity_id,
        keyed.currency,
        -- Age is no excuse for it: nothing that is still to come explains it.
        cast(null as date) as happened_on,
        case when keyed.has_ended then min(dates.period) end as period,
        {{ money('sum(keyed.amount)') }} as amount,
        keyed.has_ended,
        true as is_expected
    from keyed
    left join {{ ref('int_dates__placed') }} as dates on keyed.issued_on = dates.date_on
    group by keyed.record_key, keyed.currency, keyed.has_ended
),

right_records as (
    select * from left_records
    where not has_ended
),

{{ reconcile_balances(
    'R04', 'discount-end', 'discount', 'discount that runs', left_only='DISC-EXPIRED', right_must_exist=false
) }}

select * from reconciled
