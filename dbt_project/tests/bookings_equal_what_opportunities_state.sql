-- Conservation of bookings: those of a won opportunity sum to its amount, or to its lines where it states none.
with stated as (
    select
        opportunities.opportunity_id,
        coalesce(opportunities.amount, sum(lines.total_amount), 0) as amount
    from {{ ref('stg_opportunities') }} as opportunities
    left join {{ ref('stg_opportunity_lines') }} as lines on opportunities.opportunity_id = lines.opportunity_id
    where opportunities.is_won
    group by opportunities.opportunity_id, opportunities.amount
),

booked as (
    select
        opportunity_id,
        sum(tcv_amount) as amount
    from {{ ref('bookings') }}
    group by opportunity_id
)

select
    coalesce(stated.opportunity_id, booked.opportunity_id) as opportunity_id,
    stated.amount as stated,
    booked.amount as booked
from stated
full outer join booked on stated.opportunity_id = booked.opportunity_id
where stated.amount is distinct from booked.amount
