{{ config(materialized='view') }}
-- What each document moved in each period: the figures that a close stores. A view: only closed periods are asked for.
with sole_entity as ({{ sole_entity() }}
),

receivables as (
    select
        legal_entity_id,
        period_ends_on,
        movement as part,
        document_id,
        min(document_number) as label,
        currency,
        functional_currency,
        sum(amount) as amount,
        sum(functional_amount) as functional_amount
    from {{ ref('ar_ledger') }}
    group by legal_entity_id, period_ends_on, movement, document_id, currency, functional_currency
),

deferrals as (
    select
        legal_entity_id,
        period_ends_on,
        movement as part,
        invoice_id as document_id,
        currency,
        functional_currency,
        sum(amount) as amount,
        sum(functional_amount) as functional_amount
    from ({{ deferral_entries() }}) as entered
    group by legal_entity_id, period_ends_on, movement, invoice_id, currency, functional_currency
),

ledger as (
    select
        legal_entity_id,
        period_ends_on,
        book || '/' || gl_account_id as part,
        journal_event_id as document_id,
        min(document_number) as label,
        currency,
        sum(amount) as amount
    from ({{ journal_entries() }}) as journal
    group by legal_entity_id, period_ends_on, book, gl_account_id, journal_event_id, currency
),

figures as (
    select
        'ar' as measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        label,
        currency,
        amount,
        functional_currency,
        functional_amount
    from receivables
    union all
    select
        'deferred',
        deferrals.legal_entity_id,
        deferrals.period_ends_on,
        deferrals.part,
        deferrals.document_id,
        documents.document_number,
        deferrals.currency,
        deferrals.amount,
        deferrals.functional_currency,
        deferrals.functional_amount
    from deferrals
    left join {{ ref('stg_invoices') }} as documents on deferrals.document_id = documents.invoice_id
    union all
    select
        'ledger',
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        label,
        currency,
        amount,
        null,
        null
    from ledger
),

stated as (
    select
        measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        label,
        currency,
        {{ money('amount') }} as amount,
        functional_currency,
        {{ money('functional_amount') }} as functional_amount
    from figures
    where amount <> 0 or coalesce(functional_amount, 0) <> 0
)

select * from stated
