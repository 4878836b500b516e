{%- set steps = [
    ('booked', []),
    ('contracted', ['contracted_timing', 'contracted_terms', 'contracted_leakage']),
    ('billed', ['billed_as_deal', 'billed_timing', 'billed_terms', 'billed_discount', 'billed_credit', 'billed_usage',
        'billed_direct', 'billed_leakage']),
    ('recognised', ['recognised_timing']),
    ('collected', ['collected_deferred', 'collected_tax', 'collected_open', 'collected_unapplied',
        'collected_write_off', 'collected_for_others', 'collected_leakage']),
    ('banked', ['banked_timing', 'banked_fee', 'banked_fx', 'banked_for_others', 'banked_dispute',
        'banked_adjustment', 'banked_leakage']),
] %}
with bridge as (
    select * from {{ ref('bookings_to_cash') }}
),

by_currency as (
    select
        currency,
        {%- for level, names in steps %}
            {%- for name in names %}
                sum({{ name }}_amount) as {{ name }}_amount,
            {%- endfor %}
        {%- endfor %}
        count(*) as customers
    from bridge
    group by currency
),

-- Steps have no day of their own: they are shown at the rate of the cut, the last that was looked up by then.
rates as (
    select
        from_currency,
        max(minor_units) as minor_units,
        arg_max(rate, rate_on) as rate
    from {{ ref('int_fx_rates__looked_up') }}
    where to_currency = '{{ var("reporting_currency") }}' and rate_on <= {{ as_of() }}
    group by from_currency
),

at_cut as (
    select
        by_currency.*,
        rates.rate,
        rates.minor_units
    from by_currency
    left join rates on by_currency.currency = rates.from_currency
),

converted as (
    select
        {%- for level, names in steps %}
            {%- for name in names %}
                {{ money(converted('at_cut.' ~ name ~ '_amount', 'at_cut.rate', 'at_cut.minor_units')) }} as {{ name }},
            {%- endfor %}
        {%- endfor %}
        at_cut.currency,
        at_cut.rate is null as is_unrated
    from at_cut
),

-- A sum in which one part has no rate would be too small: all of it is left empty.
stepped as (
    select
        {%- for level, names in steps %}
            {%- for name in names %}
                case when not bool_or(is_unrated) then sum({{ name }}) end as {{ name }},
            {%- endfor %}
        {%- endfor %}
        count(*) as currencies
    from converted
),

booked_rated as (
    select case when count(*) = count(reporting_tcv_amount) then coalesce(sum(reporting_tcv_amount), 0) end as amount
    from {{ ref('bookings') }}
),

billed_rated as (
    select case when count(*) = count(reporting_net_amount) then coalesce(sum(reporting_net_amount), 0) end as amount
    from {{ ref('billings') }}
),

collected_rated as (
    select case when count(*) = count(reporting_amount) then coalesce(sum(reporting_amount), 0) end as amount
    from {{ ref('collections') }}
),

levelled as (
    select
        stepped.*,
        booked_rated.amount as booked,
        booked_rated.amount + contracted_timing + contracted_terms + contracted_leakage as contracted,
        billed_rated.amount as billed,
        billed_rated.amount + recognised_timing as recognised,
        collected_rated.amount as collected,
        collected_rated.amount + banked_timing + banked_fee + banked_fx + banked_for_others + banked_dispute
        + banked_adjustment + banked_leakage as banked
    from stepped
    cross join booked_rated
    cross join billed_rated
    cross join collected_rated
),

-- Levels stand at the rates of their own days. What is left between two of them is the change of rates.
exchanged as (
    select
        *,
        billed - contracted - (
            billed_as_deal + billed_timing + billed_terms + billed_discount + billed_credit + billed_usage
            + billed_direct + billed_leakage
        ) as billed_exchange,
        collected - recognised - (
            collected_deferred + collected_tax + collected_open + collected_unapplied + collected_write_off
            + collected_for_others + collected_leakage
        ) as collected_exchange
    from levelled
),

{% set position = namespace(value=0) -%}
waterfall as (
    {%- for level, names in steps %}
        {%- for name in names + ([level ~ '_exchange'] if level in ['billed', 'collected'] else []) + [level] %}
            {%- set position.value = position.value + 1 %}
            select
                {{ position.value }} as position,
                '{{ 'level' if name == level else 'step' }}' as kind,
                '{{ level }}' as level,
                '{{ 'total' if name == level else name.replace(level ~ '_', '').replace('_', ' ') }}' as step,
                '{{ var("reporting_currency") }}' as currency,
                {{ money(name) }} as amount
            from exchanged
            {{ 'union all' if not (loop.last and level == 'banked') }}
        {%- endfor %}
    {%- endfor %}
)

select * from waterfall
