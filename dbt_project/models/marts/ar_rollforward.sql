{%- set kinds = {'invoices': ['invoice'], 'debit_memos': ['debit_memo'], 'credit_memos': ['credit_memo'],
    'write_offs': ['write_off'], 'voids': ['void'], 'payments': ['payment'], 'refunds': ['refund'],
    'chargebacks': ['chargeback'], 'prior_period': ['prior_period']} -%}
with moves as (
    select
        legal_entity_id,
        currency,
        functional_currency,
        period,
        period_ends_on,
        movement,
        amount,
        functional_amount
    from {{ ref('ar_ledger') }}
    union all
    -- What became of closed periods since is shown in an open one (docs/decisions/0027).
    select
        legal_entity_id,
        currency,
        functional_currency,
        period,
        period_ends_on,
        part,
        amount,
        functional_amount
    from {{ ref('int_closed_periods__adjusted') }}
    where measure = 'ar'
),

ledger as (
    select
        ar_ledger.*,
        coalesce(entities.calendar, '') as calendar
    from moves as ar_ledger
    left join {{ ref('stg_legal_entities') }} as entities on ar_ledger.legal_entity_id = entities.legal_entity_id
),

entries as (
    select ledger.*
    from ledger
    inner join {{ ref('int_calendar_dates__placed') }} as cut
        on
            ledger.calendar = cut.calendar
            and cut.date_on = {{ as_of() }}
            and ledger.period_ends_on <= cut.period_ends_on
),

books as (
    select distinct
        legal_entity_id,
        calendar
    from entries
),

periods as (
    select
        books.legal_entity_id,
        dates.period,
        dates.period_ends_on,
        min(dates.quarter) as quarter
    from books
    inner join {{ ref('int_calendar_dates__placed') }} as dates on books.calendar = dates.calendar
    where dates.period_starts_on <= {{ as_of() }}
    group by books.legal_entity_id, dates.period, dates.period_ends_on
),

-- Periods of other calendars, and adjustment periods, that documents were posted in.
further_periods as (
    select
        entries.legal_entity_id,
        min(entries.period) as period,
        entries.period_ends_on,
        min(dates.quarter) as quarter
    from entries
    left join {{ ref('int_dates__placed') }} as dates on entries.period_ends_on = dates.date_on
    left join periods
        on entries.legal_entity_id = periods.legal_entity_id and entries.period_ends_on = periods.period_ends_on
    where periods.period_ends_on is null
    group by entries.legal_entity_id, entries.period_ends_on
),

all_periods as (
    select * from periods
    union all
    select * from further_periods
),

moved as (
    select
        legal_entity_id,
        currency,
        functional_currency,
        period_ends_on,
        {%- for name, movements in kinds.items() %}
            sum(case when movement = '{{ movements[0] }}' then amount else 0 end) as {{ name }}_amount,
        {%- endfor %}
        sum(amount) as moved_amount,
        sum(case when movement = 'application' then functional_amount else 0 end) as functional_fx_amount,
        sum(functional_amount) as functional_moved_amount
    from entries
    group by legal_entity_id, currency, functional_currency, period_ends_on
),

spans as (
    select
        legal_entity_id,
        currency,
        functional_currency,
        min(period_ends_on) as first_on
    from moved
    group by all
),

-- A period without movement still carries its balance on.
spine as (
    select
        spans.legal_entity_id,
        spans.currency,
        spans.functional_currency,
        all_periods.period,
        all_periods.period_ends_on,
        all_periods.quarter
    from spans
    inner join all_periods
        on spans.legal_entity_id = all_periods.legal_entity_id and spans.first_on <= all_periods.period_ends_on
),

filled as (
    select
        spine.legal_entity_id,
        spine.currency,
        spine.functional_currency,
        spine.period,
        spine.period_ends_on,
        spine.quarter,
        {%- for name in kinds %}
            coalesce(moved.{{ name }}_amount, 0) as {{ name }}_amount,
        {%- endfor %}
        coalesce(moved.moved_amount, 0) as moved_amount,
        coalesce(moved.functional_fx_amount, case when spine.functional_currency is not null then 0 end)
            as functional_fx_amount,
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
        {%- for name in kinds %}
            {{ money(name ~ '_amount') }} as {{ name }}_amount,
        {%- endfor %}
        {{ money('closing') }} as closing_amount,
        functional_currency,
        {{ money('functional_closing - functional_moved_amount') }} as functional_opening_amount,
        {{ money('functional_moved_amount - functional_fx_amount') }} as functional_moved_amount,
        {{ money('functional_fx_amount') }} as functional_fx_amount,
        {{ money('functional_closing') }} as functional_closing_amount
    from rolled
)

select * from rollforward
