with identified as (
    select * from {{ ref('int_customers__identified') }}
),

-- Field-level authority: the surviving record first, then the next that states the field. The order is total.
ranked as (
    select
        *,
        row_number() over (partition by customer_id order by preference) as authority
    from identified
),

golden as (
    select
        customer_id,
        min(case when authority = 1 then name end) as name,
        {%- for field in ['country', 'currency', 'terms', 'tax_id', 'email', 'website'] %}
            substr(
                min(case when {{ field }} is not null then preference || chr(31) || {{ field }} end),
                strpos(min(case when {{ field }} is not null then preference || chr(31) || {{ field }} end), chr(31))
                + 1
            )
                as {{ field }},
        {%- endfor %}
        min(case when role = 'crm' and not is_merged_away then source_customer_id end) as crm_customer_id,
        min(case when role = 'billing' and not is_merged_away then source_customer_id end) as billing_customer_id,
        min(case when role = 'erp' and not is_merged_away then source_customer_id end) as erp_customer_id,
        string_agg(source_customer_id, ' ' order by source_customer_id) as aliases,
        count(*) as alias_count,
        min(created_at) as created_at
    from ranked
    group by customer_id
),

with_parents as (
    select
        golden.customer_id,
        golden.name,
        placed.parent_customer_id,
        golden.country,
        golden.currency,
        golden.terms,
        golden.tax_id,
        golden.email,
        golden.website,
        golden.crm_customer_id,
        golden.billing_customer_id,
        golden.erp_customer_id,
        golden.aliases,
        golden.alias_count,
        golden.created_at
    from golden
    inner join {{ ref('int_customers__placed') }} as placed on golden.customer_id = placed.customer_id
)

select * from with_parents
