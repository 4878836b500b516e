-- R18, ledger: the tax of the ERP's documents against the postings to tax accounts, by document, entity and period, in
-- functional currency and in the primary book. A tax account is one on which at least half of the postings are tax
-- lines of documents: so a tax line that went to a revenue account does not make it one, and is missed here. What is
-- paid to the tax office is nobody's document and is not compared.
with first_book as (
    select min(book) as book from {{ ref('stg_journal_events') }}
    where journal_event_id not like '%/%'
),

sole_entity as ({{ sole_entity() }}
),

postings as (
    select
        lines.*,
        events.document_ref,
        coalesce(events.document_number, events.source_id) as document_number,
        events.posted_on,
        events.accounting_period_id,
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned') as entity_id
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    inner join first_book on events.book = first_book.book
    cross join sole_entity
),

tax_accounts as (
    select gl_account_id
    from postings
    where gl_account_id is not null
    group by gl_account_id
    having count(case when is_tax then 1 end) * 2 >= count(*)
),

posted as (
    select
        coalesce(postings.document_ref, postings.journal_event_id) as document_id,
        postings.entity_id as legal_entity_id,
        coalesce(stated.name, dates.period) as period,
        postings.document_ref is null as is_manual,
        min(postings.document_number) as document_number,
        min(postings.currency) as currency,
        min(postings.posted_on) as happened_on,
        count(*) as line_count,
        min(currencies.minor_units) as minor_units,
        -sum(postings.amount) as amount,
        -sum(postings.transaction_amount) as transaction_amount
    from postings
    inner join tax_accounts on postings.gl_account_id = tax_accounts.gl_account_id
    left join {{ ref('stg_legal_entities') }} as entities on postings.entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on postings.posted_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as stated
        on postings.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    left join {{ source('reference', 'currencies') }} as currencies on postings.currency = currencies.code
    group by all
),

documents as (
    select
        *,
        {{ converted('tax_amount', 'functional_rate', 'functional_minor_units') }} as functional_tax_amount
    from {{ ref('int_documents__posted') }}
    where {{ role_of('invoice_id') }} = 'erp' and functional_rate is not null
),

-- A void takes the tax back on its day. Whether it was posted at all is R11's to say: nobody misses it here.
taxed as (
    select
        invoice_id || '|' || legal_entity_id || '|' || posted_period as record_key,
        *,
        posted_period as taxed_period,
        issued_on as taxed_on,
        direction * functional_tax_amount as amount,
        direction * tax_amount as transaction_amount,
        false as is_void
    from documents
    where tax_amount <> 0
    union all
    select
        documents.invoice_id || '|' || documents.legal_entity_id || '|' || dates.period || '|void',
        documents.*,
        dates.period,
        documents.voided_on,
        -documents.direction * documents.functional_tax_amount,
        -documents.direction * documents.tax_amount,
        true
    from documents
    left join {{ ref('stg_legal_entities') }} as entities on documents.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on documents.voided_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    where documents.voided_on is not null and documents.tax_amount <> 0
),

left_records as (
    select
        record_key as record_id,
        coalesce(document_number, invoice_id) as label,
        [record_key] as ids,
        [cast(null as varchar)] as numbers,
        customer_id,
        legal_entity_id,
        functional_currency as currency,
        taxed_on as happened_on,
        taxed_period as period,
        {{ money('amount') }} as amount,
        {{ money('transaction_amount') }} as transaction_amount,
        is_void,
        voided_on is null and (select count(*) from tax_accounts) > 0 as is_expected
    from taxed
),

right_records as (
    select
        posted.document_id || '|' || posted.legal_entity_id || '|' || posted.period as record_id,
        coalesce(posted.document_number, posted.document_id) as label,
        [posted.document_id || '|' || posted.legal_entity_id || '|' || posted.period] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        posted.legal_entity_id,
        posted.currency,
        posted.happened_on,
        posted.period,
        {{ money('posted.amount') }} as amount,
        {{ money('posted.transaction_amount') }} as transaction_amount,
        posted.is_manual,
        {{ money(
            'posted.line_count'
            ~ ' * case coalesce(posted.minor_units, 2) when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end'
        ) }} as tolerance_amount,
        documents.invoice_id is not null and documents.voided_on is null and posted.amount <> 0 as is_expected
    from posted
    left join documents on posted.document_id = documents.invoice_id
),

{% set is_rounding = 'abs(l.amount - r.amount) <= r.tolerance_amount' -%}
{{ reconcile(
    'R18', 'document-account', 'tax of', 'posting to a tax account',
    passes=[
        {'rule': 'same key', 'by': 'ids', 'first': true},
        {'rule': 'void, amount and day', 'amount': true, 'days': 0,
            'when': 'l.is_void and r.is_manual and l.legal_entity_id = r.legal_entity_id'},
    ],
    checks=[
        {'code': 'INV-TAX', 'what': 'functional amount', 'left': 'l.amount', 'right': 'r.amount', 'rounding': true,
            'when': is_rounding},
        {'code': 'FX-RATE', 'what': 'functional amount', 'left': 'l.amount', 'right': 'r.amount', 'consequence': true,
            'when': 'not ' ~ is_rounding ~ ' and l.transaction_amount = r.transaction_amount'},
        {'code': 'INV-TAX', 'what': 'functional amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'not ' ~ is_rounding ~ ' and coalesce(l.transaction_amount <> r.transaction_amount, true)'},
    ],
    left_only='INV-TAX', right_only='INV-TAX', currency_code='INV-CCY'
) }}

select * from reconciled
