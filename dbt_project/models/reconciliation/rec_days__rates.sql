-- R15, presence: a day on which a system states rates against the pairs that it states them for. A pair misses a day
-- when it has one of nearly all days of the system, from its first to its last, and not of this one. A day without
-- any rate is a holiday of the source.
with rates as (
    select distinct
        {{ role_of('fx_rate_id') }} as role,
        from_currency || '>' || to_currency as pair,
        from_currency as currency,
        starts_on as rate_on
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot' and from_currency <> to_currency and starts_on <= {{ as_of() }}
),

series as (
    select
        role,
        pair,
        currency,
        min(rate_on) as first_on,
        max(rate_on) as last_on,
        count(*) as stated
    from rates
    group by role, pair, currency
),

days as (
    select distinct
        role,
        rate_on
    from rates
),

wanted as (
    select
        series.role,
        series.pair,
        series.currency,
        days.rate_on,
        series.stated,
        count(*) over (partition by series.role, series.pair) as days_of_system
    from series
    inner join days on series.role = days.role and days.rate_on between series.first_on and series.last_on
),

left_records as (
    select
        wanted.role || '|' || wanted.pair || '@' || wanted.rate_on as record_id,
        wanted.pair || ' on ' || wanted.rate_on as label,
        [wanted.role || '|' || wanted.pair || '@' || wanted.rate_on] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        wanted.rate_on as happened_on,
        strftime(wanted.rate_on, '%Y-%m') as period,
        {{ money(0) }} as amount,
        wanted.days_of_system >= 10 and wanted.stated * 10 >= wanted.days_of_system * 9 as is_expected
    from wanted
),

right_records as (
    select
        role || '|' || pair || '@' || rate_on as record_id,
        pair || ' on ' || rate_on as label,
        [role || '|' || pair || '@' || rate_on] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        rate_on as happened_on,
        strftime(rate_on, '%Y-%m') as period,
        {{ money(0) }} as amount,
        true as is_expected
    from rates
),

{{ reconcile_balances('R15', 'presence', 'day of', 'rate', left_only='FX-MISSING', right_only='FX-MISSING') }}

select * from reconciled
