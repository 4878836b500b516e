-- R17: figures as they were closed against the same figures now. What no document changed stands together; each
-- document that moved stands by itself, so that two changes never hide each other.
with compared as (
    select
        figures.*,
        periods.period,
        case
            when figures.moved_amount <> 0 or figures.functional_moved_amount <> 0
                then coalesce(figures.document_id, 'opening')
        end as moved_document
    from {{ ref('int_figures__compared') }} as figures
    inner join {{ ref('int_periods__listed') }} as periods
        on figures.legal_entity_id = periods.legal_entity_id and figures.period_ends_on = periods.ends_on
    where figures.is_in_force
),

records as (
    select
        concat_ws(
            '|', measure, legal_entity_id, period_ends_on, part, currency, functional_currency, moved_document
        ) as record_id,
        concat_ws(
            ' ', measure, part, min(period),
            case when moved_document is not null then coalesce(max(label), moved_document) end
        ) as label,
        legal_entity_id,
        currency,
        min(period) as period,
        bool_or(is_closed) as is_closed,
        bool_or(is_now) as is_now,
        sum(closed_amount + taken_in_amount) as closed_amount,
        sum(functional_closed_amount + functional_taken_in_amount) as functional_closed_amount,
        sum(now_amount) as now_amount,
        sum(functional_now_amount) as functional_now_amount
    from compared
    group by
        measure, legal_entity_id, period_ends_on, part, currency, functional_currency, moved_document
),

left_records as (
    select
        record_id,
        label,
        [record_id] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        -- No day: nothing is too young to be wrong in a closed period.
        cast(null as date) as happened_on,
        period,
        {{ money('closed_amount') }} as amount,
        {{ money('functional_closed_amount') }} as functional_amount,
        true as is_expected
    from records
    where is_closed
),

right_records as (
    select
        record_id,
        label,
        [record_id] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        cast(null as date) as happened_on,
        period,
        {{ money('now_amount') }} as amount,
        {{ money('functional_now_amount') }} as functional_amount,
        true as is_expected
    from records
    where is_now
),

{{ reconcile_balances(
    'R17', 'closed-now', 'closed figure', 'figure of now',
    checks=[
        {'code': 'JE-CLOSED-PERIOD', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount'},
        {'code': 'JE-CLOSED-PERIOD', 'what': 'functional amount', 'left': 'l.functional_amount',
            'right': 'r.functional_amount', 'money': false, 'when': 'l.amount = r.amount'},
    ],
    left_only='JE-CLOSED-PERIOD', right_only='JE-CLOSED-PERIOD', right_must_exist=false,
    neither='no period is closed'
) }}

select * from reconciled
