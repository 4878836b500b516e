-- R03, second leg: what was won against the first document that bills it, of any system. Documents name a deal where
-- the ERP bills from its order, or billing from its opportunity; many deals share one subscription, so that none is
-- missed here: only the time between the two is judged. What is billed in all against what was agreed is R04's.
with first_services as (
    select
        opportunity_id,
        min(starts_on) as starts_on
    from {{ ref('stg_opportunity_lines') }}
    group by opportunity_id
),

won as (
    select
        opportunities.*,
        -- A deal is not billed before it is signed, nor need it be before its service begins.
        greatest(coalesce(opportunities.signed_on, opportunities.closes_on), first_services.starts_on) as billable_on
    from {{ ref('stg_opportunities') }} as opportunities
    left join first_services on opportunities.opportunity_id = first_services.opportunity_id
    where opportunities.is_won
),

left_records as (
    select
        won.opportunity_id as record_id,
        coalesce(won.name, won.source_id) as label,
        [won.opportunity_id] as ids,
        [cast(null as varchar)] as numbers,
        coalesce(customers.customer_id, won.customer_id) as customer_id,
        cast(null as varchar) as legal_entity_id,
        cast(null as varchar) as currency,
        won.billable_on as happened_on,
        dates.period,
        {{ money(0) }} as amount,
        false as is_expected
    from won
    left join {{ ref('int_customers__identified') }} as customers on won.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates on won.billable_on = dates.date_on
),

right_records as (
    select
        arg_min(invoices.invoice_id, (invoices.issued_on, invoices.invoice_id)) as record_id,
        arg_min(
            coalesce(invoices.document_number, invoices.source_id), (invoices.issued_on, invoices.invoice_id)
        ) as label,
        [invoices.opportunity_ref] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        min(invoices.legal_entity_id) as legal_entity_id,
        cast(null as varchar) as currency,
        min(invoices.issued_on) as happened_on,
        cast(null as varchar) as period,
        {{ money(0) }} as amount,
        false as is_expected
    from {{ ref('stg_invoices') }} as invoices
    where invoices.kind = 'invoice' and invoices.status <> 'draft' and invoices.opportunity_ref is not null
    group by invoices.opportunity_ref
),

{{ reconcile(
    'R03', 'won-invoice', 'won opportunity', 'first invoice',
    passes=[{'rule': 'exact id', 'by': 'ids', 'first': true}],
    checks=[
        {'code': 'ORD-LATE', 'what': 'service from', 'left': 'cast(l.happened_on as varchar)',
            'right': 'cast(r.happened_on as varchar)', 'money': false,
            'when': 'r.happened_on > l.happened_on + ' ~ var('first_invoice_days')},
    ],
    left_only='ORD-LATE', right_only='ORD-LATE'
) }}

select * from reconciled
