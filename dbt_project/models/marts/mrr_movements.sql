with lines as (
    select * from {{ ref('int_opportunity_lines__termed') }}
    where mrr_amount is not null
),

months as (
    select distinct last_day(date_on) as month_on
    from {{ ref('int_dates__placed') }}
    where last_day(date_on) <= last_day({{ as_of() }})
),

spans as (
    select
        customer_id,
        currency,
        min(service_starts_on) as starts_on,
        max(service_ends_on) as ends_on
    from lines
    group by customer_id, currency
),

-- From the month before the first to the month after the last, so that the first and the last change are seen.
spine as (
    select
        spans.customer_id,
        spans.currency,
        months.month_on
    from spans
    inner join months
        on
            months.month_on >= last_day(cast(spans.starts_on - interval 1 month as date))
            and months.month_on <= last_day(cast(spans.ends_on + interval 1 month as date))
),

held as (
    select
        spine.customer_id,
        spine.currency,
        spine.month_on,
        coalesce(sum(lines.mrr_amount), 0) as current_mrr
    from spine
    left join lines
        on
            spine.customer_id = lines.customer_id
            and spine.currency = lines.currency
            and spine.month_on between lines.service_starts_on and lines.service_ends_on
    group by spine.customer_id, spine.currency, spine.month_on
),

compared as (
    select
        customer_id,
        currency,
        month_on,
        {{ money('current_mrr') }} as current_mrr,
        {{ money('coalesce(lag(current_mrr) over (partition by customer_id, currency order by month_on), 0)') }}
            as previous_mrr,
        {{ money('coalesce(max(current_mrr) over (partition by customer_id, currency order by month_on
            rows between unbounded preceding and 1 preceding), 0)') }} as highest_mrr_before
    from held
),

classified as (
    select
        customer_id,
        currency,
        month_on,
        previous_mrr,
        current_mrr,
        {{ money('current_mrr - previous_mrr') }} as change_amount,
        {{ money('current_mrr * 12') }} as arr_amount,
        {{ mrr_movement('previous_mrr', 'current_mrr', 'highest_mrr_before') }} as movement
    from compared
)

select * from classified
