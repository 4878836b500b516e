-- Subscriptions of billing with the contract that they fulfil. The two are linked by the opportunity that the
-- subscription or its invoices name; the contract's other deals (more seats, a cancellation) count with it. Only one
-- subscription per contract is linked: several share its deals in a way that nobody states.
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

linked as (
    select
        billed_for.subscription_id,
        coalesce(billed_for.contract_id, billed_for.opportunity_id) as deal_id,
        subscriptions.source_id as subscription,
        coalesce(customers.customer_id, subscriptions.customer_id) as customer_id,
        subscriptions.starts_on,
        subscriptions.ends_on,
        contracts.starts_on as agreed_from_on,
        contracts.ends_on as agreed_until_on,
        -- Ended subscriptions are compared on their last day.
        least({{ as_of() }}, coalesce(subscriptions.ends_on, {{ as_of() }})) as compared_on
    from billed_for
    inner join {{ ref('stg_contracts') }} as subscriptions on billed_for.subscription_id = subscriptions.contract_id
    left join {{ ref('stg_contracts') }} as contracts on billed_for.contract_id = contracts.contract_id
    left join {{ ref('int_customers__identified') }} as customers
        on subscriptions.customer_id = customers.source_customer_id
    qualify count(*) over (partition by coalesce(billed_for.contract_id, billed_for.opportunity_id)) = 1
)

select * from linked
