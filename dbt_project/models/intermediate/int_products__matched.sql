-- Products of all systems under one word each: the code where two systems share it, else the name. A product that no
-- other system has under its code or name stands alone.
with products as (
    select
        product_id,
        {{ role_of('product_id') }} as role,
        {{ plain_word('product_code') }} as code,
        {{ plain_word('name') }} as name,
        charge_kind,
        coalesce(family, '') as family
    from {{ ref('stg_products') }}
),

words as (
    select
        product_id,
        role,
        'code' as kind,
        code as word
    from products
    where code is not null
    union all
    select
        product_id,
        role,
        'name',
        name
    from products
    where name is not null
),

shared as (
    select
        kind,
        word,
        count(distinct role) as roles
    from words
    group by kind, word
),

-- A name leads to a code where all products of that name that have one have the same.
codes_of_names as (
    select
        name,
        min(code) as code
    from products
    where name is not null and code is not null
    group by name
    having count(distinct code) = 1
),

matched as (
    select
        products.product_id,
        products.role,
        products.charge_kind,
        products.family,
        coalesce(codes_of_names.code, products.code, products.name, products.product_id) as product_key,
        coalesce(by_code.roles, 1) > 1 or coalesce(by_name.roles, 1) > 1 as is_shared
    from products
    left join codes_of_names on products.name = codes_of_names.name
    left join shared as by_code on by_code.kind = 'code' and products.code = by_code.word
    left join shared as by_name on by_name.kind = 'name' and products.name = by_name.word
),

with_charges as (
    select
        *,
        case
            when min(charge_kind) over (partition by product_key) = max(charge_kind) over (partition by product_key)
                then min(charge_kind) over (partition by product_key)
        end as shared_charge_kind
    from matched
)

select * from with_charges
