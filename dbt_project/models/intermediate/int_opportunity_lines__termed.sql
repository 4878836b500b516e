-- Lines of won opportunities with how they are charged, their term, and their recurring revenue a month (MRR).
with lines as (
    select
        lines.*,
        coalesce(lines.charge_kind, products.charge_kind) as stated_kind,
        coalesce(opportunities.signed_on, opportunities.closes_on) as booked_on,
        coalesce(customers.customer_id, opportunities.customer_id, 'unknown') as customer_id,
        coalesce(currencies.minor_units, 2) as minor_units
    from {{ ref('stg_opportunity_lines') }} as lines
    inner join {{ ref('stg_opportunities') }} as opportunities on lines.opportunity_id = opportunities.opportunity_id
    left join {{ ref('stg_products') }} as products on lines.product_id = products.product_id
    left join {{ ref('int_customers__identified') }} as customers
        on opportunities.customer_id = customers.source_customer_id
    left join {{ source('reference', 'currencies') }} as currencies on lines.currency = currencies.code
    where opportunities.is_won
),

-- Without a term of its own, that of the dates: whole months where they fit, else days ÷ 30.4375, at least one.
termed as (
    select
        *,
        coalesce(starts_on, booked_on) as service_starts_on,
        coalesce(
            nullif(term_months, 0),
            case
                when starts_on is null or ends_on is null or ends_on < starts_on then null
                when
                    cast(starts_on + to_months(cast(datediff('month', starts_on, ends_on + 1) as integer)) as date)
                    = ends_on + 1
                    then greatest(datediff('month', starts_on, ends_on + 1), 1)
                else greatest((2 * (ends_on - starts_on + 1) * 16 + 487) // 974, 1)
            end
        ) as months
    from lines
),

charged as (
    select
        opportunity_line_id,
        opportunity_id,
        customer_id,
        product_id,
        booked_on,
        currency,
        minor_units,
        quantity,
        unit_price,
        total_amount,
        coalesce(stated_kind, case when months is not null then 'recurring' else 'one_time' end) as charge_kind,
        service_starts_on,
        months,
        case
            when months is not null then coalesce(ends_on, {{ last_day_of_term('service_starts_on', 'months') }})
        end as service_ends_on
    from termed
),

measured as (
    select
        *,
        case
            when charge_kind = 'recurring' and months is not null
                then {{ share('total_amount', '1', 'months', 'minor_units') }}
        end as mrr_amount,
        case
            when charge_kind = 'recurring' and months > 12
                then {{ share('total_amount', '12', 'months', 'minor_units') }}
            when charge_kind = 'recurring' then total_amount
            else {{ money(0) }}
        end as acv_amount
    from charged
)

select * from measured
