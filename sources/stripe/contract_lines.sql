-- One row per subscription item. Native items carry their price; in the flattened dialect it is looked up.
with items as (select * from subscription_item),

subscriptions as (select * from subscription),

prices as (select * from price),

plans as (select * from plan),

priced as (
    select
        i.*,
        s.start_date as subscribed_at,
        coalesce(s.ended_at, s.cancel_at) as stops_at,
        coalesce(i.product_id, p.product_id, l.product_id) as sold_product_id,
        upper(coalesce(i.currency, p.currency, l.currency, s.currency)) as iso_currency,
        coalesce(i.unit_amount, p.unit_amount_decimal, p.unit_amount, l.amount_decimal, l.amount) as price_minor,
        coalesce(i.interval, p.interval, l.interval) as every,
        coalesce(i.interval_count, p.interval_count, l.interval_count, '1') as every_count,
        -- A complete list without the item has dropped it: Stripe sends no deletion for it.
        s.items_has_more = 'false' and case
            when json_valid(s.listed_items)
                then not list_contains(json_extract_string(s.listed_items, '$[*].id'), i.id)
        end as is_dropped
    from items as i
    left join subscriptions as s on i.subscription_id = s.id
    left join prices as p on coalesce(i.price_id, i.plan_id) = p.id
    left join plans as l on coalesce(i.plan_id, i.price_id) = l.id
),

mapped as (
    select
        key('billing', id) as contract_line_id,
        key('billing', subscription_id) as contract_id,
        key('billing', sold_product_id) as product_id,
        quantity,
        from_minor(price_minor, iso_currency) as unit_price,
        iso_currency as currency,
        -- Weeks and days are no whole number of months: left open rather than rounded.
        case every
            when 'month' then coalesce(cast(try_cast(every_count as bigint) as varchar), every_count)
            when 'year' then coalesce(cast(12 * try_cast(every_count as bigint) as varchar), every_count)
        end as interval_months,
        iso_date(coalesce(created, subscribed_at)) as starts_on,
        coalesce(
            greatest(
                strftime(try_cast(iso_date(stops_at) as date) - interval 1 day, '%Y-%m-%d'),
                iso_date(coalesce(created, subscribed_at))
            ),
            iso_date(stops_at)
        ) as ends_on,
        iso_instant(created) as valid_from,
        coalesce(_deleted, false) or coalesce(is_dropped, false) as is_deleted,
        'subscription_item' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from priced
)

select * from mapped
