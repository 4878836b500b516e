-- R03, first leg: what was won against what was ordered, per opportunity. One role's orders are believed: two images
-- of one order are no two orders.
with roles as (
    select {{ role_of('order_id') }} as role
    from {{ ref('stg_orders') }}
    group by {{ role_of('order_id') }}
    order by case {{ role_of('order_id') }} when 'erp' then 1 when 'billing' then 2 else 3 end
    limit 1
),

line_sums as (
    select
        opportunity_id,
        sum(total_amount) as amount
    from {{ ref('stg_opportunity_lines') }}
    group by opportunity_id
),

left_records as (
    select
        opportunities.opportunity_id as record_id,
        coalesce(opportunities.name, opportunities.source_id) as label,
        [opportunities.opportunity_id, opportunities.order_ref] as ids,
        [cast(null as varchar)] as numbers,
        coalesce(customers.customer_id, opportunities.customer_id) as customer_id,
        cast(null as varchar) as legal_entity_id,
        opportunities.currency,
        coalesce(opportunities.signed_on, opportunities.closes_on) as happened_on,
        dates.period,
        coalesce(opportunities.amount, line_sums.amount, 0) as amount,
        coalesce(opportunities.amount, line_sums.amount, 0) <> 0 as is_expected
    from {{ ref('stg_opportunities') }} as opportunities
    left join line_sums on opportunities.opportunity_id = line_sums.opportunity_id
    left join {{ ref('int_customers__identified') }} as customers
        on opportunities.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates
        on coalesce(opportunities.signed_on, opportunities.closes_on) = dates.date_on
    where opportunities.is_won
),

ordered as (
    select
        orders.*,
        roles.role,
        coalesce(stated.opportunity_id, orders.opportunity_id, orders.order_id) as deal_id
    from {{ ref('stg_orders') }} as orders
    inner join roles on {{ role_of('orders.order_id') }} = roles.role
    left join (
        select
            order_ref,
            min(opportunity_id) as opportunity_id
        from {{ ref('stg_opportunities') }}
        where is_won and order_ref is not null
        group by order_ref
        having count(*) = 1
    ) as stated on orders.order_id = stated.order_ref and orders.opportunity_id is null
    -- What is not ordered yet, or no more.
    where
        not regexp_matches(lower(coalesce(orders.status, '')), '(^|[: ])(draft|cancell?ed|pending approval)$')
        and lower(coalesce(orders.status, '')) not in ('salesord:a', 'salesord:c')
),

-- A deal may be ordered in parts: they count together, from the first one on. An order without a deal is nobody's miss.
right_records as (
    select
        min(ordered.order_id) as record_id,
        min(coalesce(ordered.order_number, ordered.source_id)) as label,
        list_distinct([ordered.deal_id] || list(ordered.order_id)) as ids,
        [cast(null as varchar)] as numbers,
        min(coalesce(customers.customer_id, ordered.customer_id)) as customer_id,
        cast(null as varchar) as legal_entity_id,
        ordered.currency,
        min(ordered.ordered_on) as happened_on,
        min(dates.period) as period,
        {{ money('coalesce(sum(ordered.total_amount), 0)') }} as amount,
        count(ordered.total_amount) > 0 as has_amount,
        -- The CRM dates an order by its first effect, which is the customer's wish.
        bool_or(ordered.role <> 'crm') as is_dated,
        false as is_expected
    from ordered
    left join {{ ref('int_customers__identified') }} as customers
        on ordered.customer_id = customers.source_customer_id
    left join {{ ref('int_dates__placed') }} as dates on ordered.ordered_on = dates.date_on
    group by ordered.deal_id, ordered.currency
),

{{ reconcile(
    'R03', 'won-order', 'won opportunity', 'order',
    passes=[{'rule': 'exact id', 'by': 'ids', 'first': true}],
    checks=[
        {'code': 'ORD-VALUE', 'what': 'value', 'left': 'l.amount', 'right': 'r.amount', 'when': 'r.has_amount'},
        {'code': 'ORD-VALUE', 'what': 'value', 'left': 'l.amount', 'right': 'r.amount', 'when': 'not r.has_amount',
            'severity': 'minor'},
        {'code': 'ORD-TERMS', 'what': 'customer', 'left': 'l.customer_id', 'right': 'r.customer_id', 'money': false},
        {'code': 'ORD-LATE', 'what': 'signed on', 'left': 'cast(l.happened_on as varchar)',
            'right': 'cast(r.happened_on as varchar)', 'money': false,
            'when': 'r.is_dated and r.happened_on > l.happened_on + ' ~ var('order_days')},
    ],
    left_only='ORD-MISSING', right_only='ORD-MISSING', currency_code='ORD-VALUE'
) }}

select * from reconciled
