-- R15, rates: what an invoice is worth at the rate it states against the reference rate of its day, in functional
-- currency. Within the tolerance (`fx_rate_bps`) the difference is explained and tolerated. A day without a rate of
-- its own is not judged.
with documents as (
    select *
    from {{ ref('int_documents__posted') }}
    where
        kind in ('invoice', 'debit_memo')
        and currency <> functional_currency
        and functional_rate is not null
),

stated_days as (
    select
        from_currency as currency,
        to_currency as functional_currency,
        starts_on,
        coalesce(ends_on, starts_on) as ends_on
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot'
    union
    select
        to_currency,
        from_currency,
        starts_on,
        coalesce(ends_on, starts_on)
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot'
),

judged as (
    select
        documents.invoice_id,
        coalesce(documents.document_number, documents.invoice_id) as document,
        documents.customer_id,
        documents.legal_entity_id,
        documents.functional_currency,
        documents.issued_on,
        documents.posted_period,
        documents.functional_rate as stated_rate,
        looked_up.rate as reference_rate,
        {{ converted('documents.total_amount', 'documents.functional_rate', 'documents.functional_minor_units') }}
            as stated_amount,
        {{ converted('documents.total_amount', 'looked_up.rate', 'documents.functional_minor_units') }}
            as reference_amount,
        abs(documents.functional_rate - looked_up.rate) * 10000 > looked_up.rate * {{ var('fx_rate_bps') }} as is_beyond
    from documents
    inner join {{ ref('int_fx_rates__looked_up') }} as looked_up
        on
            documents.currency = looked_up.from_currency
            and documents.functional_currency = looked_up.to_currency
            and documents.issued_on = looked_up.rate_on
    where exists (
        select 1 from stated_days
        where
            documents.currency = stated_days.currency
            and documents.functional_currency = stated_days.functional_currency
            and documents.issued_on between stated_days.starts_on and stated_days.ends_on
    )
),

left_records as (
    select
        invoice_id as record_id,
        document || ' at ' || trim(trailing '.' from trim(trailing '0' from cast(stated_rate as varchar))) as label,
        [invoice_id] as ids,
        [cast(null as varchar)] as numbers,
        customer_id,
        legal_entity_id,
        functional_currency as currency,
        issued_on as happened_on,
        posted_period as period,
        stated_amount as amount,
        true as is_expected
    from judged
),

right_records as (
    select
        invoice_id as record_id,
        document as label,
        [invoice_id] as ids,
        [cast(null as varchar)] as numbers,
        customer_id,
        legal_entity_id,
        functional_currency as currency,
        issued_on as happened_on,
        posted_period as period,
        reference_amount as amount,
        is_beyond,
        true as is_expected
    from judged
),

{{ reconcile_balances(
    'R15', 'document-reference', 'document', 'reference rate',
    checks=[
        {'code': 'FX-RATE', 'what': 'worth', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.is_beyond'},
        {'code': 'FX-RATE', 'what': 'worth', 'left': 'l.amount', 'right': 'r.amount', 'rounding': true,
            'when': 'not r.is_beyond'},
    ]
) }}

select * from reconciled
