-- The rate in force for every currency and date that a record needs, to the reporting currency and to every functional
-- one. Same currency is 1; else the stated rate or the inverse of the opposite one. No rate: no row, never 1.
with wanted_dates as (
    select
        currency,
        coalesce(signed_on, closes_on) as rate_on
    from {{ ref('stg_opportunities') }}
    where is_won
    union
    select
        currency,
        issued_on
    from {{ ref('stg_invoices') }}
    union
    select
        currency,
        paid_on
    from {{ ref('stg_payments') }}
    union
    select
        currency,
        created_on
    from {{ ref('stg_payouts') }}
    union
    select
        currencies.currency,
        dates.rate_on
    from (
        select currency from {{ ref('stg_invoices') }}
        union
        select currency from {{ ref('stg_payments') }}
    ) as currencies
    cross join (
        select distinct period_ends_on as rate_on
        from {{ ref('int_dates__placed') }}
        where period_ends_on <= {{ as_of() }}
        union
        select {{ as_of() }}
    ) as dates
    -- What the bridge to cash shows at the cut: money may move in a currency in which nothing was ever billed.
    union
    select
        moved.currency,
        {{ as_of() }}
    from (
        select currency from {{ ref('stg_processor_transactions') }}
        union
        select currency from {{ ref('stg_payouts') }}
        union
        select currency from {{ ref('stg_bank_transactions') }}
    ) as moved
),

targets as (
    select functional_currency as to_currency from {{ ref('stg_legal_entities') }}
    union
    select '{{ var("reporting_currency") }}'
),

wanted as (
    select
        wanted_dates.currency as from_currency,
        targets.to_currency,
        wanted_dates.rate_on
    from wanted_dates
    cross join targets
),

stated as (
    select
        fx_rate_id,
        from_currency,
        to_currency,
        starts_on,
        ends_on,
        rate,
        -- The ledger's own rates win over billing's and the CRM's.
        case {{ role_of('fx_rate_id') }} when 'erp' then 1 when 'billing' then 2 when 'crm' then 3 else 4 end
            as preference
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot' and from_currency <> to_currency
),

both_ways as (
    select
        fx_rate_id,
        from_currency,
        to_currency,
        starts_on,
        ends_on,
        rate,
        preference,
        'direct' as method
    from stated
    union all
    select
        fx_rate_id,
        to_currency,
        from_currency,
        starts_on,
        ends_on,
        {{ inverse('rate') }} as rate,
        preference,
        'inverse' as method
    from stated
),

candidates as (
    select
        wanted.from_currency,
        wanted.to_currency,
        wanted.rate_on,
        both_ways.rate,
        both_ways.method,
        row_number() over (
            partition by wanted.from_currency, wanted.to_currency, wanted.rate_on
            order by both_ways.preference, both_ways.starts_on desc, both_ways.method, both_ways.fx_rate_id
        ) as choice
    from wanted
    inner join both_ways
        on
            wanted.from_currency = both_ways.from_currency
            and wanted.to_currency = both_ways.to_currency
            and wanted.rate_on >= both_ways.starts_on
            -- An end that the source states is believed; an open rate grows stale.
            and case
                when both_ways.ends_on is null then wanted.rate_on - both_ways.starts_on <= {{ var('fx_rate_days') }}
                else wanted.rate_on <= both_ways.ends_on
            end
),

looked_up as (
    select
        from_currency,
        to_currency,
        rate_on,
        rate,
        method
    from candidates
    where choice = 1
    union all
    select
        from_currency,
        to_currency,
        rate_on,
        {{ rate(1) }},
        'same'
    from wanted
    where from_currency = to_currency
),

with_decimals as (
    select
        looked_up.*,
        coalesce(currencies.minor_units, 2) as minor_units
    from looked_up
    left join {{ source('reference', 'currencies') }} as currencies on looked_up.to_currency = currencies.code
)

select * from with_decimals
