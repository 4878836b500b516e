-- One row per Stripe product. How it is charged stands on its prices: said only where all of them agree.
with products as (select * from product),

prices as (
    select * from price
    where not coalesce(_deleted, false)
),

charged as (
    select
        product_id,
        case when min(kind) = max(kind) then min(kind) end as charge_kind
    from (
        select
            product_id,
            case when usage_type = 'metered' then 'usage' when type in ('recurring', 'one_time') then type end as kind
        from prices
    ) as kinds
    group by product_id
),

mapped as (
    select
        key('billing', p.id) as product_id,
        p.name,
        p.type as family,
        c.charge_kind,
        is_true(p.active) as is_active,
        iso_instant(coalesce(p.updated, p.created)) as valid_from,
        coalesce(p._deleted, false) as is_deleted,
        'product' as source_table,
        p._load_seq as load_seq,
        p._row as row_number
    from products as p
    left join charged as c on p.id = c.product_id
)

select * from mapped
