-- What each posting says about revenue, per journal event and entity: functional currency, primary book, credits
-- positive. Income between entities is R14's. Only entities that defer revenue at all are here: where a ledger
-- takes revenue as it invoices, no schedule stands behind it (docs/decisions/0021).
with sole_entity as ({{ sole_entity() }}
),

first_book as (
    select min(book) as book from {{ ref('stg_journal_events') }}
    where journal_event_id not like '%/%'
),

-- The journals that R11 found to void a document belong to it.
voids as (
    select
        {{ part_of('right_id', '|', 1) }} as journal_event_id,
        min({{ part_of('left_id', '|', 1) }}) as document_id
    from {{ ref('rec_receivables__ledger') }}
    where line_kind = 'pair' and rule = 'void, amount and day'
    group by {{ part_of('right_id', '|', 1) }}
),

posted as (
    select
        events.journal_event_id,
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
            as legal_entity_id,
        min(coalesce(events.document_ref, voids.document_id)) as document_id,
        min(coalesce(events.document_number, events.source_id)) as document_number,
        min(events.memo) as memo,
        min(events.posted_on) as posted_on,
        min(coalesce(stated.name, dates.period)) as period,
        min(coalesce(stated.ends_on, dates.period_ends_on)) as period_ends_on,
        min(lines.currency) as currency,
        sum(case when accounts.kind = 'revenue' then -lines.amount else 0 end) as revenue_amount,
        sum(case when accounts.kind = 'deferred_revenue' then -lines.amount else 0 end) as deferred_amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_gl_accounts') }} as accounts on lines.gl_account_id = accounts.gl_account_id
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    inner join first_book on events.book = first_book.book
    cross join sole_entity
    left join voids on events.journal_event_id = voids.journal_event_id
    left join {{ ref('stg_legal_entities') }} as entities
        on
            coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id)
            = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on events.posted_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as stated
        on events.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    where
        accounts.kind in ('revenue', 'deferred_revenue')
        and not regexp_matches(lower(accounts.name), '{{ var("intercompany_accounts") }}')
        and events.posted_on <= {{ as_of() }}
    group by
        events.journal_event_id,
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
),

deferring as (
    select
        *,
        bool_or(deferred_amount <> 0) over (partition by legal_entity_id) as is_deferring
    from posted
),

summed as (
    select
        journal_event_id,
        legal_entity_id,
        document_id,
        document_number,
        memo,
        posted_on,
        period,
        period_ends_on,
        currency,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('deferred_amount') }} as deferred_amount
    from deferring
    where is_deferring
)

select * from summed
