-- R09. A payout made by hand has no parts of its own, and movements that no payout holds yet are no difference.
with payouts as (
    select
        payouts.*,
        dates.period
    from {{ ref('int_payouts__summed') }} as payouts
    left join {{ ref('int_dates__placed') }} as dates on payouts.created_on = dates.date_on
    where payouts.status is not null
),

records as (
    select
        payout_id || '/' || currency as record_id,
        source_id as label,
        [payout_id || '/' || currency] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as legal_entity_id,
        currency,
        created_on as happened_on,
        period,
        part_count,
        payout_amount,
        net_amount,
        is_automatic
    from payouts
),

left_records as (
    select
        *,
        net_amount as amount,
        true as is_expected
    from records
    where part_count > 0
),

right_records as (
    select
        *,
        payout_amount as amount,
        coalesce(is_automatic, false) as is_expected
    from records
),

{{ reconcile_balances(
    'R09', 'activity-payout', 'processor activity', 'payout',
    checks=[{'code': 'CTRL-TOTAL', 'what': 'net of its parts', 'left': 'l.amount', 'right': 'r.amount'}],
    left_only='CTRL-TOTAL', right_only='CTRL-TOTAL'
) }}

select * from reconciled
