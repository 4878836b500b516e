-- What was agreed for each linked subscription: the lines of all won deals of its contract.
with agreed as (
    select
        lines.opportunity_line_id,
        linked.subscription_id,
        opportunities.opportunity_id,
        coalesce(products.product_key, lines.product_id, '') as product_key,
        lines.charge_kind,
        lines.quantity,
        lines.unit_price,
        lines.total_amount,
        lines.currency,
        lines.minor_units,
        lines.months,
        lines.booked_on,
        lines.service_starts_on,
        lines.service_ends_on,
        linked.compared_on >= lines.service_starts_on
        and linked.compared_on <= coalesce(lines.service_ends_on, linked.compared_on) as is_in_force
    from {{ ref('int_subscriptions__linked') }} as linked
    inner join {{ ref('stg_opportunities') }} as opportunities
        on linked.deal_id = coalesce(opportunities.contract_id, opportunities.opportunity_id)
    inner join {{ ref('int_opportunity_lines__termed') }} as lines
        on opportunities.opportunity_id = lines.opportunity_id
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
)

select * from agreed
