-- R02, quantities and dates: what the deals of a contract add up to on a day, per product, against the subscription
-- that bills them (int_subscriptions__linked). Ended subscriptions are compared on their last day. Some keep an item
-- for every step of a ramp: then the items sum to all steps, not to the step in force. Prices are the next leg's.
with linked as (
    select * from {{ ref('int_subscriptions__linked') }}
),

terms as (
    select
        *,
        greatest(service_starts_on, booked_on) as changed_on
    from {{ ref('int_subscription_lines__agreed') }}
    where charge_kind = 'recurring'
),

agreed as (
    select
        subscription_id,
        product_key,
        coalesce(sum(case when is_in_force then quantity end), 0) as quantity,
        max(case when is_in_force then changed_on end) as changed_on,
        sum(quantity) as steps_quantity,
        count(*) as steps
    from terms
    group by subscription_id, product_key
),

supplied as (
    select
        linked.subscription_id,
        coalesce(products.product_key, lines.product_id, '') as product_key,
        sum(lines.quantity) as quantity,
        count(*) as steps
    from linked
    inner join {{ ref('stg_contract_lines') }} as lines on linked.subscription_id = lines.contract_id
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    where coalesce(products.shared_charge_kind, products.charge_kind, 'recurring') = 'recurring'
    group by linked.subscription_id, coalesce(products.product_key, lines.product_id, '')
    having sum(lines.quantity) <> 0
),

quantities as (
    select
        'left' as side,
        subscription_id,
        product_key,
        quantity,
        changed_on,
        steps_quantity,
        steps
    from agreed
    union all
    select
        'right',
        subscription_id,
        product_key,
        quantity,
        null,
        quantity,
        steps
    from supplied
),

records as (
    select
        quantities.side,
        quantities.subscription_id || '|' || quantities.product_key as record_id,
        quantities.product_key || ' of ' || linked.subscription as label,
        [quantities.subscription_id || '|' || quantities.product_key] as ids,
        [cast(null as varchar)] as numbers,
        linked.customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        dates.period,
        {{ money(0) }} as amount,
        quantities.quantity,
        quantities.changed_on,
        quantities.steps_quantity,
        quantities.steps,
        case when quantities.side = 'left' then linked.agreed_from_on else linked.starts_on end as starts_on,
        case when quantities.side = 'left' then linked.agreed_until_on else linked.ends_on end as ends_on,
        row_number() over (
            partition by quantities.side, quantities.subscription_id order by quantities.product_key
        ) = 1 as is_first,
        quantities.quantity <> 0 as is_expected
    from quantities
    inner join linked on quantities.subscription_id = linked.subscription_id
    left join {{ ref('int_dates__placed') }} as dates on linked.compared_on = dates.date_on
),

left_records as (
    select * from records
    where side = 'left'
),

right_records as (
    select * from records
    where side = 'right'
),

{%- set is_recent = 'l.changed_on > ' ~ as_of() ~ ' - ' ~ var('timing_days') %}
{%- set is_every_step = '(r.steps > 1 and r.steps = l.steps and r.quantity = l.steps_quantity)' %}

{{ reconcile_balances(
    'R02', 'contract-subscription', 'contracted line', 'subscription item',
    checks=[
        {'code': 'ORD-TERMS', 'what': 'quantity', 'left': plain_number('l.quantity'),
            'right': plain_number('r.quantity'), 'money': false,
            'when': 'not coalesce(' ~ is_recent ~ ', false) and not ' ~ is_every_step},
        {'code': 'ORD-TERMS', 'what': 'quantity', 'left': plain_number('l.quantity'),
            'right': plain_number('r.quantity'), 'money': false,
            'severity': 'timing', 'when': is_recent ~ ' and not ' ~ is_every_step},
        {'code': 'ORD-TERMS', 'what': 'first day', 'left': 'cast(l.starts_on as varchar)',
            'right': 'cast(r.starts_on as varchar)', 'money': false,
            'when': 'l.is_first and abs(l.starts_on - r.starts_on) > 1'},
        {'code': 'ORD-TERMS', 'what': 'last day', 'left': 'cast(l.ends_on as varchar)',
            'right': 'cast(r.ends_on as varchar)', 'money': false,
            'when': 'l.is_first and abs(l.ends_on - r.ends_on) > 1'},
    ],
    left_only='ORD-TERMS', right_only='ORD-TERMS'
) }}

select * from reconciled
