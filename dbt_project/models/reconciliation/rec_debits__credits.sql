-- R13. Debits against credits of every journal event and currency; summed up it is the trial balance, which is zero
-- because each journal is.
with sole_entity as ({{ sole_entity() }}
),

events as (
    select
        lines.journal_event_id,
        lines.currency,
        min(coalesce(events.document_number, events.source_id)) as label,
        min(coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id)) as legal_entity_id,
        min(events.posted_on) as happened_on,
        min(coalesce(stated.name, dates.period)) as period,
        sum(case when lines.amount > 0 then lines.amount else 0 end) as debit_amount,
        sum(case when lines.amount < 0 then -lines.amount else 0 end) as credit_amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    cross join sole_entity
    left join {{ ref('int_dates__placed') }} as dates on events.posted_on = dates.date_on
    left join {{ ref('stg_accounting_periods') }} as stated
        on events.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    group by lines.journal_event_id, lines.currency
),

records as (
    select
        journal_event_id || '/' || currency as record_id,
        label,
        [journal_event_id || '/' || currency] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        happened_on,
        period,
        {{ money('debit_amount') }} as debit_amount,
        {{ money('credit_amount') }} as credit_amount,
        true as is_expected
    from events
),

left_records as (
    select
        *,
        debit_amount as amount
    from records
),

right_records as (
    select
        *,
        credit_amount as amount
    from records
),

{{ reconcile_balances(
    'R13', 'debit-credit', 'journal', 'journal',
    checks=[{'code': 'JE-UNBALANCED', 'what': 'debits', 'left': 'l.amount', 'right': 'r.amount'}]
) }}

select * from reconciled
