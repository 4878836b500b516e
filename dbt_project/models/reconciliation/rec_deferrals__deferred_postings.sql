-- R12, deferral: how schedules move deferred revenue against the postings to its accounts, per entity and period, in
-- functional currency. The schedules are those of documents that the ledger defers. What recognition leaves open
-- moves both accounts, and is reported there.
with postings as (
    select * from {{ ref('int_revenue_postings__summed') }}
),

deferred_documents as (
    select distinct document_id as invoice_id
    from postings
    where document_id is not null and deferred_amount <> 0 and {{ role_of('document_id') }} = 'erp'
),

known as (
    select max(posted_on) as known_until_on from {{ ref('stg_journal_events') }}
    where posted_on <= {{ as_of() }}
),

lines as (
    select lines.*
    from {{ ref('int_revenue_lines__termed') }} as lines
    inner join deferred_documents on lines.invoice_id = deferred_documents.invoice_id
    where lines.issued_on <= {{ as_of() }} and lines.functional_net_amount is not null
),

moved as (
    select
        legal_entity_id,
        posted_period as period,
        posted_period_ends_on as period_ends_on,
        functional_net_amount as amount
    from lines
    union all
    select
        legal_entity_id,
        void_period,
        void_period_ends_on,
        -functional_net_amount
    from lines
    where voided_on <= {{ as_of() }}
    union all
    select
        schedule.legal_entity_id,
        schedule.period,
        schedule.period_ends_on,
        -schedule.functional_amount
    from {{ ref('revenue_schedule') }} as schedule
    inner join deferred_documents on schedule.invoice_id = deferred_documents.invoice_id
    where schedule.is_recognised and schedule.functional_amount is not null
),

by_period as (
    select
        legal_entity_id,
        period_ends_on,
        min(period) as period,
        sum(amount) as amount,
        count(*) as movements
    from moved
    group by legal_entity_id, period_ends_on
),

deferring as (
    select
        legal_entity_id,
        min(currency) as currency
    from postings
    group by legal_entity_id
),

ordered as (
    select
        by_period.*,
        coalesce(
            lag(by_period.period_ends_on) over (
                partition by by_period.legal_entity_id order by by_period.period_ends_on
            ) < known.known_until_on,
            true
        ) as is_begun
    from by_period
    cross join known
),

posted as (
    select
        legal_entity_id,
        period_ends_on,
        min(period) as period,
        sum(deferred_amount) as amount
    from postings
    group by legal_entity_id, period_ends_on
),

-- What recognition leaves open moves deferred revenue by as much, but for journals beyond any schedule: these move it
-- by what they post to it, which may be nothing.
recognised as (
    select
        found.legal_entity_id,
        found.period,
        sum(
            case
                when found.left_amount = 0 and postings.journal_event_id is not null then postings.deferred_amount
                else found.difference_amount
            end
        ) as difference_amount
    from {{ ref('rec_revenue_schedules__revenue_postings') }} as found
    left join postings
        on
            {{ part_of('found.right_id', '|', 1) }} = postings.journal_event_id
            and found.legal_entity_id = postings.legal_entity_id
    where found.line_kind = 'pair'
    group by found.legal_entity_id, found.period
),

both_sides as (
    select
        coalesce(ordered.legal_entity_id, posted.legal_entity_id) as legal_entity_id,
        coalesce(ordered.period, posted.period) as period,
        coalesce(ordered.period_ends_on, posted.period_ends_on) as period_ends_on,
        coalesce(ordered.amount, 0) as scheduled_amount,
        coalesce(posted.amount, 0) as posted_amount,
        coalesce(ordered.movements, 0) + 1 as movements
    from ordered
    full outer join posted
        on ordered.legal_entity_id = posted.legal_entity_id and ordered.period_ends_on = posted.period_ends_on
    where coalesce(ordered.is_begun, true)
),

records as (
    select
        both_sides.legal_entity_id || '|' || both_sides.period as record_id,
        both_sides.period || ' of ' || both_sides.legal_entity_id as label,
        [both_sides.legal_entity_id || '|' || both_sides.period] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        both_sides.legal_entity_id,
        deferring.currency,
        least(both_sides.period_ends_on, known.known_until_on) as happened_on,
        both_sides.period,
        {{ money('both_sides.scheduled_amount') }} as scheduled_amount,
        {{ money('both_sides.posted_amount') }} as posted_amount,
        {{ money('coalesce(recognised.difference_amount, 0)') }} as recognised_difference,
        {{ money('both_sides.movements * ' ~ minor_unit('currencies.minor_units')) }} as tolerance_amount,
        both_sides.period_ends_on <= known.known_until_on as is_over,
        true as is_expected
    from both_sides
    cross join known
    inner join deferring on both_sides.legal_entity_id = deferring.legal_entity_id
    left join {{ source('reference', 'currencies') }} as currencies on deferring.currency = currencies.code
    left join recognised
        on both_sides.legal_entity_id = recognised.legal_entity_id and both_sides.period = recognised.period
),

left_records as (
    select
        *,
        scheduled_amount as amount
    from records
    where exists (select 1 from moved)
),

right_records as (
    select
        *,
        posted_amount as amount
    from records
),

{% set beyond = 'abs(l.amount - r.amount) > l.tolerance_amount' -%}
{% set follows = 'abs(l.amount - r.amount + l.recognised_difference) <= l.tolerance_amount' -%}
{{ reconcile_balances(
    'R12', 'deferral-ledger', 'deferral of', 'deferred revenue in the ledger',
    checks=[
        {'code': 'REV-SCHEDULE', 'what': 'movement', 'left': 'l.amount', 'right': 'r.amount', 'rounding': true,
            'when': 'not (' ~ beyond ~ ')'},
        {'code': 'REV-SCHEDULE', 'what': 'movement', 'left': 'l.amount', 'right': 'r.amount', 'consequence': true,
            'when': beyond ~ ' and ' ~ follows},
        {'code': 'REV-SCHEDULE', 'what': 'movement so far', 'left': 'l.amount', 'right': 'r.amount',
            'severity': 'timing', 'when': beyond ~ ' and not (' ~ follows ~ ') and not l.is_over'},
        {'code': 'REV-SCHEDULE', 'what': 'movement', 'left': 'l.amount', 'right': 'r.amount',
            'when': beyond ~ ' and not (' ~ follows ~ ') and l.is_over'},
    ],
    left_only='REV-SCHEDULE', right_only='REV-SCHEDULE', neither='no entity defers revenue'
) }}

select * from reconciled
