-- R01, hierarchies. Every customer with a parent against the top that its chain of parents ends at. A circle has no
-- top: one exception for each, at its smallest key. What hangs below a circle is reported with it.
with recursive customers as (
    select
        customers.customer_id,
        coalesce(customers.name, customers.source_id) as label,
        customers.parent_customer_id,
        identified.customer_id as golden_id
    from {{ ref('stg_customers') }} as customers
    left join {{ ref('int_customers__identified') }} as identified
        on customers.customer_id = identified.source_customer_id
),

-- Fifty steps: no company has so many levels.
walked as (
    select
        customers.customer_id,
        parents.customer_id as reached_id,
        parents.parent_customer_id as next_id,
        1 as step
    from customers
    inner join customers as parents on customers.parent_customer_id = parents.customer_id
    union all
    select
        walked.customer_id,
        parents.customer_id,
        parents.parent_customer_id,
        walked.step + 1
    from walked
    inner join customers as parents on walked.next_id = parents.customer_id
    where walked.reached_id <> walked.customer_id and walked.step < 50
),

chains as (
    select
        customer_id,
        bool_or(reached_id = customer_id) as is_in_circle,
        max(step) < 50 and not bool_or(reached_id = customer_id) as has_top,
        least(customer_id, min(reached_id)) as first_id,
        string_agg(reached_id, ' → ' order by step) as path
    from walked
    group by customer_id
),

records as (
    select
        chains.customer_id as record_id,
        case when chains.is_in_circle then chains.path else customers.label end as label,
        [chains.customer_id] as ids,
        [cast(null as varchar)] as numbers,
        customers.golden_id as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        cast(null as varchar) as period,
        {{ money(0) }} as amount,
        chains.has_top,
        chains.is_in_circle and chains.customer_id = chains.first_id as is_expected
    from chains
    inner join customers on chains.customer_id = customers.customer_id
),

left_records as (
    select * from records
),

right_records as (
    select * from records
    where has_top
),

{{ reconcile_balances(
    'R01', 'hierarchy', 'chain of parents', 'top', left_only='CUS-CYCLE', right_must_exist=false
) }}

select * from reconciled
