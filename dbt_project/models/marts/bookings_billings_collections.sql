with booked as (
    select
        quarter,
        currency,
        sum(tcv_amount) as amount,
        sum(reporting_tcv_amount) as reporting_amount,
        count(*) filter (where reporting_tcv_amount is null) as unrated
    from {{ ref('bookings') }}
    group by quarter, currency
),

billed as (
    select
        quarter,
        currency,
        sum(net_amount) as amount,
        sum(reporting_net_amount) as reporting_amount,
        count(*) filter (where reporting_net_amount is null) as unrated
    from {{ ref('billings') }}
    group by quarter, currency
),

collected as (
    select
        quarter,
        currency,
        sum(amount) as amount,
        sum(reporting_amount) as reporting_amount,
        count(*) filter (where reporting_amount is null) as unrated
    from {{ ref('collections') }}
    group by quarter, currency
),

keys as (
    select
        quarter,
        currency
    from booked
    union
    select
        quarter,
        currency
    from billed
    union
    select
        quarter,
        currency
    from collected
),

-- A sum in which one part has no rate would be too small: it is left empty.
joined as (
    select
        keys.quarter,
        keys.currency,
        {{ money('coalesce(booked.amount, 0)') }} as bookings_amount,
        {{ money('coalesce(billed.amount, 0)') }} as billings_amount,
        {{ money('coalesce(collected.amount, 0)') }} as collections_amount,
        '{{ var("reporting_currency") }}' as reporting_currency,
        {{ money('case when coalesce(booked.unrated, 0) = 0 then coalesce(booked.reporting_amount, 0) end') }}
            as reporting_bookings_amount,
        {{ money('case when coalesce(billed.unrated, 0) = 0 then coalesce(billed.reporting_amount, 0) end') }}
            as reporting_billings_amount,
        {{ money('case when coalesce(collected.unrated, 0) = 0 then coalesce(collected.reporting_amount, 0) end') }}
            as reporting_collections_amount
    from keys
    left join booked on keys.quarter = booked.quarter and keys.currency = booked.currency
    left join billed on keys.quarter = billed.quarter and keys.currency = billed.currency
    left join collected on keys.quarter = collected.quarter and keys.currency = collected.currency
)

select * from joined
