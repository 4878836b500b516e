-- Golden customers in the hierarchy of their surviving records: parent, and whether the chain of parents comes back to
-- where it began. A parent that was joined to its child is none.
with recursive identified as (
    select * from {{ ref('int_customers__identified') }}
),

survivors as (
    select
        customer_id,
        parent_customer_id
    from identified
    qualify row_number() over (partition by customer_id order by preference) = 1
),

parents as (
    select
        survivors.customer_id,
        nullif(coalesce(identified.customer_id, survivors.parent_customer_id), survivors.customer_id)
            as parent_customer_id
    from survivors
    left join identified on survivors.parent_customer_id = identified.source_customer_id
),

-- Fifty steps: no company has so many levels.
climbed as (
    select
        customer_id,
        parent_customer_id as reached_id,
        1 as step
    from parents
    where parent_customer_id is not null
    union all
    select
        climbed.customer_id,
        parents.parent_customer_id,
        climbed.step + 1
    from climbed
    inner join parents on climbed.reached_id = parents.customer_id
    where parents.parent_customer_id is not null and climbed.reached_id <> climbed.customer_id and climbed.step < 50
),

circles as (
    select
        customer_id,
        least(customer_id, min(reached_id)) as first_id,
        string_agg(reached_id, ' → ' order by step) as path
    from climbed
    group by customer_id
    having bool_or(reached_id = customer_id)
),

placed as (
    select
        parents.customer_id,
        case when circles.customer_id is null then parents.parent_customer_id end as parent_customer_id,
        circles.first_id as circle_id,
        circles.path as circle
    from parents
    left join circles on parents.customer_id = circles.customer_id
)

select * from placed
