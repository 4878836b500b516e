with products as (
    select
        product_id,
        {{ role_of('product_id') }} as role,
        name,
        product_code,
        family,
        charge_kind,
        is_active,
        system
    from {{ ref('stg_products') }}
)

select * from products
