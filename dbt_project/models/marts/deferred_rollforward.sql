{%- set kinds = ['billed', 'credited', 'voided', 'recognised', 'prior_period'] -%}
with entries as (
    select
        legal_entity_id,
        currency,
        functional_currency,
        period,
        period_ends_on,
        movement,
        amount,
        functional_amount
    from ({{ deferral_entries() }}) as entered
    union all
    -- What became of closed periods since is shown in an open one (docs/decisions/0027).
    select
        adjusted.legal_entity_id,
        adjusted.currency,
        adjusted.functional_currency,
        adjusted.period,
        adjusted.period_ends_on,
        adjusted.part,
        adjusted.amount,
        adjusted.functional_amount
    from {{ ref('int_closed_periods__adjusted') }} as adjusted
    where adjusted.measure = 'deferred' and adjusted.period_starts_on <= {{ as_of() }}
),

moved as (
    select
        legal_entity_id,
        currency,
        functional_currency,
        min(period) as period,
        period_ends_on,
        {%- for kind in kinds %}
            sum(case when movement = '{{ kind }}' then amount else 0 end) as {{ kind }}_amount,
            sum(case when movement = '{{ kind }}' then functional_amount else 0 end) as functional_{{ kind }}_amount,
        {%- endfor %}
        sum(amount) as moved_amount,
        sum(functional_amount) as functional_moved_amount
    from entries
    group by legal_entity_id, currency, functional_currency, period_ends_on
),

spans as (
    select
        moved.legal_entity_id,
        moved.currency,
        moved.functional_currency,
        coalesce(min(entities.calendar), '') as calendar,
        min(moved.period_ends_on) as first_on
    from moved
    left join {{ ref('stg_legal_entities') }} as entities on moved.legal_entity_id = entities.legal_entity_id
    group by moved.legal_entity_id, moved.currency, moved.functional_currency
),

periods as (
    select
        calendar,
        period,
        period_ends_on,
        min(quarter) as quarter
    from {{ ref('int_calendar_dates__placed') }}
    where period_starts_on <= {{ as_of() }}
    group by calendar, period, period_ends_on
),

-- A period without movement still carries its balance on; one of another calendar, in which a document was posted, is
-- the last of these rows to be known.
spine as (
    select
        spans.legal_entity_id,
        spans.currency,
        spans.functional_currency,
        periods.period_ends_on,
        periods.period,
        periods.quarter
    from spans
    inner join periods on spans.calendar = periods.calendar and spans.first_on <= periods.period_ends_on
    union all
    select
        moved.legal_entity_id,
        moved.currency,
        moved.functional_currency,
        moved.period_ends_on,
        moved.period,
        dates.quarter
    from moved
    inner join spans
        on
            moved.legal_entity_id = spans.legal_entity_id
            and moved.currency = spans.currency
            and moved.functional_currency is not distinct from spans.functional_currency
    left join {{ ref('int_dates__placed') }} as dates on moved.period_ends_on = dates.date_on
    left join periods on spans.calendar = periods.calendar and moved.period_ends_on = periods.period_ends_on
    where periods.period is null
),

filled as (
    select
        spine.legal_entity_id,
        spine.currency,
        spine.functional_currency,
        spine.period,
        spine.period_ends_on,
        spine.quarter,
        {%- for kind in kinds %}
            coalesce(moved.{{ kind }}_amount, 0) as {{ kind }}_amount,
            coalesce(
                moved.functional_{{ kind }}_amount, case when spine.functional_currency is not null then 0 end
            ) as functional_{{ kind }}_amount,
        {%- endfor %}
        coalesce(moved.moved_amount, 0) as moved_amount,
        coalesce(moved.functional_moved_amount, case when spine.functional_currency is not null then 0 end)
            as functional_moved_amount
    from spine
    left join moved
        on
            spine.legal_entity_id = moved.legal_entity_id
            and spine.currency = moved.currency
            and spine.functional_currency is not distinct from moved.functional_currency
            and spine.period_ends_on = moved.period_ends_on
),

rolled as (
    select
        *,
        sum(moved_amount) over whole as closing,
        sum(functional_moved_amount) over whole as functional_closing
    from filled
    window whole as (
        partition by legal_entity_id, currency, functional_currency order by period_ends_on
        rows between unbounded preceding and current row
    )
),

rollforward as (
    select
        legal_entity_id,
        currency,
        period,
        period_ends_on,
        quarter,
        {{ money('closing - moved_amount') }} as opening_amount,
        {%- for kind in kinds %}
            {{ money(kind ~ '_amount') }} as {{ kind }}_amount,
        {%- endfor %}
        {{ money('closing') }} as closing_amount,
        functional_currency,
        {{ money('functional_closing - functional_moved_amount') }} as functional_opening_amount,
        {%- for kind in kinds %}
            {{ money('functional_' ~ kind ~ '_amount') }} as functional_{{ kind }}_amount,
        {%- endfor %}
        {{ money('functional_closing') }} as functional_closing_amount
    from rolled
)

select * from rollforward
