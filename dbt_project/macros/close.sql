{#- What stands in which period, by document: for the marts that roll it forward, and for what a close stores. -#}

{#- Movements of deferred revenue by document. -#}
{% macro deferral_entries() -%}
select
    legal_entity_id,
    currency,
    functional_currency,
    invoice_id,
    posted_period as period,
    posted_period_ends_on as period_ends_on,
    case when kind = 'credit_memo' then 'credited' else 'billed' end as movement,
    net_amount as amount,
    functional_net_amount as functional_amount
from {{ ref('int_revenue_lines__termed') }}
where issued_on <= {{ as_of() }}
union all
select
    legal_entity_id,
    currency,
    functional_currency,
    invoice_id,
    void_period,
    void_period_ends_on,
    'voided',
    -net_amount,
    -functional_net_amount
from {{ ref('int_revenue_lines__termed') }}
where issued_on <= {{ as_of() }} and voided_on <= {{ as_of() }}
union all
select
    legal_entity_id,
    currency,
    functional_currency,
    invoice_id,
    period,
    period_ends_on,
    'recognised',
    -amount,
    -functional_amount
from {{ ref('revenue_schedule') }}
where is_recognised
{%- endmacro %}

{#- Journal lines in the period they are posted in: the one they state, else that of their date in the entity's
    calendar. Expects CTE sole_entity. -#}
{% macro journal_entries() -%}
select
    coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
        as legal_entity_id,
    events.book,
    events.journal_event_id,
    coalesce(events.document_number, events.source_id) as document_number,
    lines.currency,
    coalesce(lines.gl_account_id, 'unassigned') as gl_account_id,
    coalesce(posted.ends_on, dates.period_ends_on) as period_ends_on,
    lines.amount
from {{ ref('stg_journal_lines') }} as lines
inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
cross join sole_entity
left join {{ ref('stg_accounting_periods') }} as posted
    on events.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
left join {{ ref('stg_legal_entities') }} as entities
    on
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id)
        = entities.legal_entity_id
left join {{ ref('int_calendar_dates__placed') }} as dates
    on events.posted_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
{%- endmacro %}
