-- R13. Debits against credits of every journal event and currency; summed up it is the trial balance, which is zero
-- because each journal is. A journal that was made after its period had been closed is a finding of its own; when it
-- was modified says nothing, as a payment modifies the invoice it pays.
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
        min(cast(events.created_at at time zone 'UTC' as date)) as created_on,
        min(case when stated.is_closed then stated.closed_on end) as closed_on,
        sum(case when lines.amount > 0 then lines.amount else 0 end) as debit_amount,
        sum(case when lines.amount < 0 then -lines.amount else 0 end) as credit_amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    cross join sole_entity
    left join {{ ref('stg_legal_entities') }} as entities
        on
            coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id)
            = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on events.posted_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
    left join {{ ref('stg_accounting_periods') }} as stated
        on events.accounting_period_id = stated.accounting_period_id and stated.kind = 'period'
    group by lines.journal_event_id, lines.currency
),

records as (
    select
        journal_event_id || '|' || currency as record_id,
        label,
        [journal_event_id || '|' || currency] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        happened_on,
        period,
        {{ money('debit_amount') }} as debit_amount,
        {{ money('credit_amount') }} as credit_amount,
        created_on,
        closed_on,
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
    checks=[{'code': 'JE-UNBALANCED', 'what': 'debits', 'left': 'l.amount', 'right': 'r.amount'}],
    record_checks=[{'code': 'JE-CLOSED-PERIOD', 'side': 'left', 'when': 'x.created_on > x.closed_on',
        'sentence': "concat('journal ', x.label, ' was made on ', x.created_on, ' in ', x.period, ', closed on ', x.closed_on)"}]
) }}

select * from reconciled
