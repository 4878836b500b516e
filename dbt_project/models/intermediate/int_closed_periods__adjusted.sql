-- What keeps a closed period as it was closed: its changes since are taken out of it and shown in the close that took
-- them in, or in the first open period. Sums to zero per document.
with periods as (
    select * from {{ ref('int_periods__listed') }}
),

compared as (
    select
        compared.*,
        periods.previous_ends_on
    from {{ ref('int_figures__compared') }} as compared
    inner join periods
        on compared.legal_entity_id = periods.legal_entity_id and compared.period_ends_on = periods.ends_on
    where
        compared.is_in_force
        and (
            compared.now_amount <> compared.closed_amount
            or compared.functional_now_amount <> compared.functional_closed_amount
        )
),

last_closed as (
    select
        legal_entity_id,
        measure,
        max(period_ends_on) as last_on
    from {{ ref('int_closes__signed') }}
    where is_in_force and next_close_id is null
    group by legal_entity_id, measure
),

first_open as (
    select
        last_closed.legal_entity_id,
        last_closed.measure,
        periods.ends_on
    from last_closed
    inner join periods
        on
            last_closed.legal_entity_id = periods.legal_entity_id
            and last_closed.last_on = periods.previous_ends_on
),

taken_in as (
    select
        closings.measure,
        closings.legal_entity_id,
        closings.period_ends_on,
        closings.currency,
        closings.functional_currency,
        closings.amount,
        closings.functional_amount
    from {{ ref('int_closings__signed') }} as closings
    inner join {{ ref('int_closes__signed') }} as origin
        on
            closings.legal_entity_id = origin.legal_entity_id
            and closings.origin_ends_on = origin.period_ends_on
            and closings.measure = origin.measure
            and origin.is_in_force
            and origin.next_close_id is null
    where closings.kind = 'adjustment' and closings.is_in_force and closings.next_close_id is null
),

entries as (
    -- Out of the closed period; of what lies before the first one, out of its last period.
    select
        measure,
        legal_entity_id,
        case
            when document_id is null then coalesce(previous_ends_on, period_ends_on) else period_ends_on
        end as stands_on,
        case when document_id is null then 'prior_period' else part end as part,
        currency,
        functional_currency,
        closed_amount - now_amount as amount,
        functional_closed_amount - functional_now_amount as functional_amount
    from compared
    union all
    select
        measure,
        legal_entity_id,
        period_ends_on,
        'prior_period',
        currency,
        functional_currency,
        amount,
        functional_amount
    from taken_in
    union all
    select
        compared.measure,
        compared.legal_entity_id,
        first_open.ends_on,
        'prior_period',
        compared.currency,
        compared.functional_currency,
        compared.moved_amount,
        compared.functional_moved_amount
    from compared
    inner join first_open
        on compared.legal_entity_id = first_open.legal_entity_id and compared.measure = first_open.measure
),

adjusted as (
    select
        concat_ws(
            '|', entries.measure, entries.legal_entity_id, entries.stands_on, entries.part, entries.currency,
            coalesce(entries.functional_currency, '')
        ) as adjustment_key,
        entries.measure,
        entries.legal_entity_id,
        min(periods.period) as period,
        min(periods.starts_on) as period_starts_on,
        entries.stands_on as period_ends_on,
        entries.part,
        entries.currency,
        entries.functional_currency,
        {{ money('sum(entries.amount)') }} as amount,
        case
            when entries.functional_currency is not null then {{ money('sum(coalesce(entries.functional_amount, 0))') }}
        end as functional_amount
    from entries
    inner join periods on entries.legal_entity_id = periods.legal_entity_id and entries.stands_on = periods.ends_on
    group by
        entries.measure, entries.legal_entity_id, entries.stands_on, entries.part, entries.currency,
        entries.functional_currency
    having sum(entries.amount) <> 0 or sum(entries.functional_amount) <> 0
)

select * from adjusted
