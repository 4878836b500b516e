-- R11. The AR ledger by document, entity and period against the postings to receivable accounts, in functional currency
-- and in the primary book. Applies when the ERP's own documents are believed.
with sole_entity as ({{ sole_entity() }}
),

subledger as (
    select
        document_id,
        legal_entity_id,
        period,
        movement = 'void' as is_void,
        min(customer_id) as customer_id,
        min(document_number) as document_number,
        min(functional_currency) as currency,
        min(moved_on) as happened_on,
        sum(functional_amount) as amount,
        sum(amount) as transaction_amount
    from {{ ref('ar_ledger') }}
    where {{ role_of('item_id') }} = 'erp' and functional_amount is not null
    group by document_id, legal_entity_id, period, movement = 'void'
),

first_book as (
    select min(book) as book from {{ ref('stg_journal_events') }}
    where journal_event_id not like '%/%'
),

-- Each line of a document is converted and rounded by itself; their sum stands against the conversion of the whole.
line_counts as (
    select
        journal_event_id,
        count(*) as line_count
    from {{ ref('stg_journal_lines') }}
    group by journal_event_id
),

posted as (
    select
        coalesce(events.document_ref, events.journal_event_id) as document_id,
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
            as legal_entity_id,
        coalesce(stated.name, dates.period) as period,
        min(coalesce(events.document_number, events.source_id)) as document_number,
        bool_and(events.document_ref is null) as is_manual,
        min(lines.currency) as currency,
        min(events.posted_on) as happened_on,
        max(line_counts.line_count) as line_count,
        max(currencies.minor_units) as minor_units,
        sum(lines.amount) as amount,
        sum(coalesce(lines.transaction_amount, lines.amount)) as transaction_amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    inner join first_book on events.book = first_book.book
    inner join line_counts on events.journal_event_id = line_counts.journal_event_id
    inner join {{ ref('stg_gl_accounts') }} as accounts on lines.gl_account_id = accounts.gl_account_id
    cross join sole_entity
    left join {{ ref('stg_legal_entities') }} as entities
        on
            coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id)
            = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on events.posted_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ source('reference', 'currencies') }} as currencies on lines.currency = currencies.code
    left join {{ ref('stg_accounting_periods') }} as stated
        on events.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    where accounts.kind = 'receivable'
    group by all
),

-- A void is posted with its document, or by a journal of its own that names nothing: then it stands alone here too.
whole as (
    select
        document_id,
        legal_entity_id,
        period,
        sum(amount) as amount
    from subledger
    group by document_id, legal_entity_id, period
    having count(*) > 1
),

together as (
    select
        whole.document_id,
        whole.legal_entity_id,
        whole.period
    from whole
    inner join posted
        on
            whole.document_id = posted.document_id
            and whole.legal_entity_id = posted.legal_entity_id
            and whole.period = posted.period
            and whole.amount = posted.amount
),

keyed as (
    select
        subledger.*,
        subledger.document_id || '|' || subledger.legal_entity_id || '|' || subledger.period
        || case when subledger.is_void and together.document_id is null then '|void' else '' end as record_key
    from subledger
    left join together
        on
            subledger.document_id = together.document_id
            and subledger.legal_entity_id = together.legal_entity_id
            and subledger.period = together.period
),

left_records as (
    select
        record_key as record_id,
        min(coalesce(document_number, document_id)) as label,
        [record_key] as ids,
        [cast(null as varchar)] as numbers,
        min(customer_id) as customer_id,
        min(legal_entity_id) as legal_entity_id,
        min(currency) as currency,
        min(happened_on) as happened_on,
        min(period) as period,
        {{ money('sum(amount)') }} as amount,
        {{ money('sum(transaction_amount)') }} as transaction_amount,
        bool_or(is_void) as is_void,
        sum(amount) <> 0 as is_expected
    from keyed
    group by record_key
),

right_records as (
    select
        document_id || '|' || legal_entity_id || '|' || period as record_id,
        coalesce(document_number, document_id) as label,
        [document_id || '|' || legal_entity_id || '|' || period] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        happened_on,
        period,
        {{ money('amount') }} as amount,
        {{ money('transaction_amount') }} as transaction_amount,
        is_manual,
        {{ money(
            'line_count * case coalesce(minor_units, 2) when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end'
        ) }} as tolerance_amount,
        amount <> 0 as is_expected
    from posted
),

{{ reconcile(
    'R11', 'subledger-ledger', 'AR document', 'ledger posting',
    passes=[
        {'rule': 'same key', 'by': 'ids', 'first': true},
        {'rule': 'void, amount and day', 'amount': true, 'days': 0,
            'when': 'l.is_void and r.is_manual and l.legal_entity_id = r.legal_entity_id'},
    ],
    checks=[
        {'code': 'FX-RATE', 'what': 'functional amount, rounded line by line:', 'left': 'l.amount', 'right': 'r.amount',
            'rounding': true,
            'when': 'l.transaction_amount = r.transaction_amount and abs(l.amount - r.amount) <= r.tolerance_amount'},
        {'code': 'FX-RATE', 'what': 'functional amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'l.transaction_amount = r.transaction_amount and abs(l.amount - r.amount) > r.tolerance_amount'},
        {'code': 'INV-AMOUNT', 'what': 'functional amount', 'left': 'l.amount', 'right': 'r.amount',
            'when': 'l.transaction_amount <> r.transaction_amount'},
    ],
    left_only='CTRL-TOTAL', right_only='JE-MANUAL-CONTROL', currency_code='INV-CCY'
) }}

select * from reconciled
