-- A chain of references longer than the limit would leave two golden keys in one component.
{{ config(severity='warn') }}
with stated as (
    {%- for column in ['crm_customer_id', 'billing_customer_id', 'erp_customer_id', 'merged_into_customer_id'] %}
        select
            customer_id as one,
            {{ column }} as other
        from {{ source('canonical', 'customers') }}
        where {{ column }} is not null and (not is_deleted or merged_into_customer_id is not null)
        union all
    {%- endfor %}
    select
        left_id,
        right_id
    from {{ source('matching', 'customer_pairs') }}
    where verdict = 'joined'
)

select
    stated.one,
    stated.other,
    ones.customer_id as golden_of_one,
    others.customer_id as golden_of_other
from stated
inner join {{ ref('int_customers__identified') }} as ones on stated.one = ones.source_customer_id
inner join {{ ref('int_customers__identified') }} as others on stated.other = others.source_customer_id
left join {{ source('matching', 'customer_pairs') }} as parted
    on
        least(stated.one, stated.other) = parted.left_id
        and greatest(stated.one, stated.other) = parted.right_id
        and parted.verdict = 'parted'
where ones.customer_id <> others.customer_id and parted.left_id is null
