-- R14: what one entity posts to an intercompany account as a claim against what another posts as a debt, in the
-- currency of the transaction. Sides follow from signs, so that settlements pair as charges do. An account is
-- intercompany by its name (`intercompany_accounts`), because no ledger of ours says it otherwise.
with sole_entity as ({{ sole_entity() }}
),

first_book as (
    select min(book) as book from {{ ref('stg_journal_events') }}
    where journal_event_id not like '%/%'
),

posted as (
    select
        events.journal_event_id,
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
            as legal_entity_id,
        coalesce(lines.transaction_currency, lines.currency) as currency,
        min(coalesce(events.document_number, events.source_id)) as document_number,
        min(events.posted_on) as happened_on,
        min(coalesce(stated.name, dates.period)) as period,
        {{ money('sum(coalesce(lines.transaction_amount, lines.amount))') }} as amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_gl_accounts') }} as accounts on lines.gl_account_id = accounts.gl_account_id
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    inner join first_book on events.book = first_book.book
    cross join sole_entity
    left join {{ ref('int_dates__placed') }} as dates on events.posted_on = dates.date_on
    left join {{ ref('stg_accounting_periods') }} as stated
        on events.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    -- Income and expense between entities are eliminated on consolidation, and are nobody's claim.
    where
        accounts.kind in ('receivable', 'payable', 'other_asset', 'other_liability')
        and regexp_matches(lower(accounts.name), '{{ var("intercompany_accounts") }}')
    group by all
),

records as (
    select
        case
            when count(*) over (partition by journal_event_id) = 1 then journal_event_id
            else journal_event_id || '|' || legal_entity_id || '|' || currency
        end as record_id,
        document_number || ' of ' || legal_entity_id as label,
        [cast(null as varchar)] as ids,
        [upper(trim(document_number))] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        happened_on,
        period,
        amount as signed_amount,
        {{ money('abs(amount)') }} as amount,
        true as is_expected
    from posted
    where amount <> 0
),

left_records as (
    select * from records
    where signed_amount > 0
),

right_records as (
    select * from records
    where signed_amount < 0
),

{{ reconcile(
    'R14', 'claim-debt', 'intercompany claim', 'intercompany debt',
    passes=[
        {'rule': 'number and amount', 'by': 'numbers', 'amount': true, 'when': 'l.legal_entity_id <> r.legal_entity_id'},
        {'rule': 'amount and 3 days', 'amount': true, 'days': 3, 'when': 'l.legal_entity_id <> r.legal_entity_id'},
    ],
    left_only='IC-UNPAIRED', right_only='IC-UNPAIRED'
) }}

select * from reconciled
