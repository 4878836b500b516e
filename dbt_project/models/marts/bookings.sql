with opportunities as (
    select
        opportunities.*,
        coalesce(signed_on, closes_on) as booked_on,
        coalesce(customers.customer_id, opportunities.customer_id, 'unknown') as golden_customer_id
    from {{ ref('stg_opportunities') }} as opportunities
    left join {{ ref('int_customers__identified') }} as customers
        on opportunities.customer_id = customers.source_customer_id
    where opportunities.is_won
),

lines as (
    select * from {{ ref('int_opportunity_lines__termed') }}
),

-- The customer's recurring revenue on the day before a line starts, on the day it starts, and whether ever before.
steps as (
    select distinct
        customer_id,
        currency,
        service_starts_on
    from lines
    where mrr_amount is not null
),

levels as (
    select
        steps.customer_id,
        steps.currency,
        steps.service_starts_on,
        coalesce(sum(case
            when
                held.service_starts_on < steps.service_starts_on and held.service_ends_on >= steps.service_starts_on - 1
                then held.mrr_amount
        end), 0) as previous_mrr,
        coalesce(sum(case
            when held.service_starts_on <= steps.service_starts_on and held.service_ends_on >= steps.service_starts_on
                then held.mrr_amount
        end), 0) as current_mrr,
        coalesce(max(case when held.service_starts_on < steps.service_starts_on then held.mrr_amount end), 0)
            as ever_mrr
    from steps
    inner join lines as held
        on steps.customer_id = held.customer_id and steps.currency = held.currency and held.mrr_amount is not null
    group by steps.customer_id, steps.currency, steps.service_starts_on
),

line_totals as (
    select
        opportunity_id,
        sum(total_amount) as total_amount
    from lines
    group by opportunity_id
),

line_rows as (
    select
        lines.opportunity_line_id as booking_id,
        lines.opportunity_id,
        lines.opportunity_line_id,
        'line' as row_kind,
        lines.product_id,
        lines.charge_kind,
        case
            when lines.charge_kind <> 'recurring' then lines.charge_kind
            when lines.mrr_amount is null then 'unclassified'
            else {{ mrr_movement('levels.previous_mrr', 'levels.current_mrr', 'levels.ever_mrr', same='renewal') }}
        end as movement,
        lines.currency,
        lines.quantity,
        lines.unit_price,
        lines.service_starts_on,
        lines.service_ends_on,
        cast(lines.months as integer) as term_months,
        lines.total_amount as tcv_amount,
        lines.acv_amount,
        lines.mrr_amount
    from lines
    left join levels
        on
            lines.customer_id = levels.customer_id
            and lines.currency = levels.currency
            and lines.service_starts_on = levels.service_starts_on
),

-- What the opportunity states beyond its lines: all of it when there are none.
whole_rows as (
    select
        opportunities.opportunity_id
        || case when line_totals.opportunity_id is null then '' else '/unallocated' end as booking_id,
        opportunities.opportunity_id,
        cast(null as varchar) as opportunity_line_id,
        case when line_totals.opportunity_id is null then 'opportunity' else 'unallocated' end as row_kind,
        cast(null as varchar) as product_id,
        cast(null as varchar) as charge_kind,
        'unclassified' as movement,
        opportunities.currency,
        cast(null as decimal(28, 12)) as quantity,
        cast(null as decimal(28, 12)) as unit_price,
        cast(null as date) as service_starts_on,
        cast(null as date) as service_ends_on,
        cast(null as integer) as term_months,
        {{ money(
            'coalesce(opportunities.amount, line_totals.total_amount, 0) - coalesce(line_totals.total_amount, 0)'
        ) }}
            as tcv_amount,
        cast(null as decimal(18, 4)) as acv_amount,
        cast(null as decimal(18, 4)) as mrr_amount
    from opportunities
    left join line_totals on opportunities.opportunity_id = line_totals.opportunity_id
    where
        line_totals.opportunity_id is null
        or coalesce(opportunities.amount, line_totals.total_amount) <> line_totals.total_amount
),

rows_of_both as (
    select * from line_rows
    union all
    select * from whole_rows
),

booked as (
    select
        rows_of_both.booking_id,
        rows_of_both.opportunity_id,
        rows_of_both.opportunity_line_id,
        rows_of_both.row_kind,
        opportunities.golden_customer_id as customer_id,
        opportunities.customer_id as source_customer_id,
        opportunities.contract_id,
        rows_of_both.product_id,
        opportunities.name as opportunity_name,
        opportunities.type as deal_type,
        rows_of_both.charge_kind,
        rows_of_both.movement,
        opportunities.booked_on,
        opportunities.signed_on is not null as is_signed_date,
        dates.period,
        dates.period_ends_on,
        dates.quarter,
        rows_of_both.service_starts_on,
        rows_of_both.service_ends_on,
        rows_of_both.term_months,
        rows_of_both.quantity,
        rows_of_both.unit_price,
        rows_of_both.currency,
        rows_of_both.tcv_amount,
        {{ money('rows_of_both.acv_amount') }} as acv_amount,
        rows_of_both.mrr_amount,
        {{ money('rows_of_both.mrr_amount * 12') }} as arr_amount,
        '{{ var("reporting_currency") }}' as reporting_currency,
        {{ rate('rates.rate') }} as reporting_rate,
        {{ converted_lines('rows_of_both.tcv_amount', 'rates.rate', 'rates.minor_units',
            'rows_of_both.opportunity_id', 'rows_of_both.booking_id') }} as reporting_tcv_amount,
        opportunities.system
    from rows_of_both
    inner join opportunities on rows_of_both.opportunity_id = opportunities.opportunity_id
    left join {{ ref('int_dates__placed') }} as dates on opportunities.booked_on = dates.date_on
    left join {{ ref('int_fx_rates__looked_up') }} as rates
        on
            rows_of_both.currency = rates.from_currency
            and rates.to_currency = '{{ var("reporting_currency") }}'
            and opportunities.booked_on = rates.rate_on
)

select * from booked
