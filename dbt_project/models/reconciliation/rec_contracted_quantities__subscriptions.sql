-- R02, quantities and dates: what the deals of a contract add up to on a day, per product, against the subscription
-- that bills them. The two are linked by the opportunity that the subscription or its invoices name. Ended subscriptions
-- are compared on their last day. Some keep an item for every step of a ramp: then the items sum to all steps, not to
-- the step in force. Prices are not compared: the CRM's are after discount, billing's before coupons.
with named as (
    select
        contract_id as subscription_id,
        opportunity_ref
    from {{ ref('stg_invoices') }}
    where {{ role_of('invoice_id') }} = 'billing' and contract_id is not null and opportunity_ref is not null
    union
    select
        contract_id,
        opportunity_ref
    from {{ ref('stg_contracts') }}
    where {{ role_of('contract_id') }} = 'billing' and opportunity_ref is not null
),

billed_for as (
    select
        named.subscription_id,
        min(opportunities.opportunity_id) as opportunity_id,
        min(opportunities.contract_id) as contract_id
    from named
    inner join {{ ref('stg_opportunities') }} as opportunities on named.opportunity_ref = opportunities.opportunity_id
    where opportunities.is_won
    group by named.subscription_id
    having count(distinct coalesce(opportunities.contract_id, opportunities.opportunity_id)) = 1
),

-- One subscription per contract: several share its deals in a way that nobody states.
linked as (
    select
        billed_for.subscription_id,
        coalesce(billed_for.contract_id, billed_for.opportunity_id) as deal_id,
        subscriptions.source_id as subscription,
        subscriptions.customer_id,
        subscriptions.starts_on,
        subscriptions.ends_on,
        contracts.starts_on as agreed_from_on,
        contracts.ends_on as agreed_until_on,
        least({{ as_of() }}, coalesce(subscriptions.ends_on, {{ as_of() }})) as compared_on
    from billed_for
    inner join {{ ref('stg_contracts') }} as subscriptions on billed_for.subscription_id = subscriptions.contract_id
    left join {{ ref('stg_contracts') }} as contracts on billed_for.contract_id = contracts.contract_id
    qualify count(*) over (partition by coalesce(billed_for.contract_id, billed_for.opportunity_id)) = 1
),

terms as (
    select
        linked.subscription_id,
        coalesce(products.product_key, lines.product_id, '') as product_key,
        lines.quantity,
        greatest(lines.service_starts_on, lines.booked_on) as changed_on,
        linked.compared_on >= lines.service_starts_on
        and linked.compared_on <= coalesce(lines.service_ends_on, linked.compared_on) as is_in_force
    from linked
    inner join {{ ref('stg_opportunities') }} as opportunities
        on linked.deal_id = coalesce(opportunities.contract_id, opportunities.opportunity_id)
    inner join {{ ref('int_opportunity_lines__termed') }} as lines
        on opportunities.opportunity_id = lines.opportunity_id
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    where lines.charge_kind = 'recurring'
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
        coalesce(customers.customer_id, linked.customer_id) as customer_id,
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
    left join {{ ref('int_customers__identified') }} as customers
        on linked.customer_id = customers.source_customer_id
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
        {'code': 'ORD-TERMS', 'what': 'quantity', 'left': 'l.quantity', 'right': 'r.quantity', 'money': false,
            'when': 'not coalesce(' ~ is_recent ~ ', false) and not ' ~ is_every_step},
        {'code': 'ORD-TERMS', 'what': 'quantity', 'left': 'l.quantity', 'right': 'r.quantity', 'money': false,
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
