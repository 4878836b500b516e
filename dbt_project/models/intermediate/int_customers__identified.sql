-- Customer records joined into golden customers: connected components over the cross references that the systems
-- keep, over merges, and over pairs that matching or a person joined; less those that a person parted. Each round hands
-- the best key one step on, at a cost linear in the links however tangled they are; the limit is 12 steps (a test looks
-- for more).
with recursive records as (
    select
        *,
        {{ role_of('customer_id') }} as role,
        -- The survivor is an undeleted record, of the CRM before billing before the ERP, by key.
        cast(case when is_deleted then 1 else 0 end as varchar)
        || case {{ role_of('customer_id') }}
            when 'crm' then '1' when 'billing' then '2' when 'erp' then '3' else '4'
        end
        || customer_id as preference
    from {{ source('canonical', 'customers') }}
    where not is_deleted or merged_into_customer_id is not null
),

stated as (
    {%- for column in ['crm_customer_id', 'billing_customer_id', 'erp_customer_id', 'merged_into_customer_id'] %}
        select
            customer_id as one,
            {{ column }} as other
        from records
        where {{ column }} is not null
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

links as (
    select
        stated.one,
        stated.other
    from stated
    inner join records on stated.other = records.customer_id
    left join {{ source('matching', 'customer_pairs') }} as parted
        on
            least(stated.one, stated.other) = parted.left_id
            and greatest(stated.one, stated.other) = parted.right_id
            and parted.verdict = 'parted'
    where parted.left_id is null
    union all
    select
        left_id,
        right_id
    from {{ source('matching', 'customer_pairs') }}
    where verdict = 'joined'
),

edges as (
    select
        one,
        other
    from links
    union
    select
        other,
        one
    from links
    union
    select
        customer_id,
        customer_id
    from records
),

labels as (
    select
        customer_id,
        preference as label,
        0 as step
    from records
    union all
    select
        edges.other,
        min(labels.label),
        labels.step + 1
    from labels
    inner join edges on labels.customer_id = edges.one
    where labels.step < 12
    group by edges.other, labels.step
),

identified as (
    select
        records.customer_id as source_customer_id,
        substr(labels.label, 3) as customer_id,
        records.preference,
        records.role,
        records.name,
        records.parent_customer_id,
        records.tax_id,
        records.email,
        records.website,
        records.country,
        records.currency,
        records.terms,
        records.is_deleted as is_merged_away,
        records.created_at
    from records
    inner join labels on records.customer_id = labels.customer_id
    where labels.step = 12
)

select * from identified
