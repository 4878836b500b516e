{#- Both sides of R01: accounts of the CRM, and customers of `role`. Applies where some record of either names one of the
    other: without references there is nothing that two systems could disagree on. -#}
{% macro customer_records(role) -%}
{%- set column = role ~ '_customer_id' -%}
-- Whom both systems know: only such a parent can differ.
shared as (
    select customer_id
    from {{ ref('int_customers__identified') }}
    group by customer_id
    having bool_or(role = 'crm') and bool_or(role = '{{ role }}')
),

customers as (
    select
        customers.customer_id as record_id,
        {{ role_of('customers.customer_id') }} as role,
        coalesce(customers.name, customers.source_id) as label,
        identified.customer_id,
        customers.{{ column }} as stated_id,
        customers.currency as billed_in,
        customers.tax_id,
        customers.name,
        customers.crm_customer_id,
        shared.customer_id as parent_id,
        count(*) over (partition by identified.customer_id, {{ role_of('customers.customer_id') }}) as images,
        count(*) over (
            partition by identified.customer_id, {{ role_of('customers.customer_id') }}, customers.currency
        ) as images_in_currency
    from {{ ref('stg_customers') }} as customers
    inner join {{ ref('int_customers__identified') }} as identified
        on customers.customer_id = identified.source_customer_id
    left join {{ ref('int_customers__identified') }} as parents
        on customers.parent_customer_id = parents.source_customer_id
    left join shared on parents.customer_id = shared.customer_id
    where {{ role_of('customers.customer_id') }} in ('crm', '{{ role }}')
),

linked as (
    select count(*) > 0 as is_linked
    from customers
    where (role = 'crm' and stated_id is not null) or (role <> 'crm' and crm_customer_id is not null)
),

known_to_crm as (
    select distinct customer_id from customers
    where role = 'crm'
),

{% if role == 'erp' -%}
-- Who bought must be known where the revenue is posted; a prospect need not be.
bound as (
    select distinct identified.customer_id
    from {{ ref('stg_opportunities') }} as opportunities
    inner join {{ ref('int_customers__identified') }} as identified
        on opportunities.customer_id = identified.source_customer_id
    where
        opportunities.is_won
        and coalesce(opportunities.signed_on, opportunities.closes_on) < {{ as_of() }} - {{ var('timing_days') }}
),

{% else -%}
-- Who signs up and never buys is no customer yet; who is billed is one.
bound as (
    select distinct identified.customer_id
    from {{ ref('stg_invoices') }} as invoices
    inner join {{ ref('int_customers__identified') }} as identified
        on invoices.customer_id = identified.source_customer_id
    where {{ role_of('invoices.invoice_id') }} = '{{ role }}' and invoices.status <> 'draft'
),

{% endif -%}
records as (
    select
        customers.*,
        [customers.customer_id] as ids,
        [cast(null as varchar)] as numbers,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        cast(null as varchar) as period,
        {{ money(0) }} as amount,
        known_to_crm.customer_id is not null as is_known,
        bound.customer_id is not null as is_bound,
        -- A system that bills in one currency per customer keeps one for each: several are then no duplicates.
        customers.images = 1 or customers.images_in_currency > 1 as is_single
    from customers
    inner join linked on linked.is_linked
    left join known_to_crm on customers.customer_id = known_to_crm.customer_id
    left join bound on customers.customer_id = bound.customer_id
),

left_records as (
    select
        *,
        {{ 'is_bound or stated_id is not null' if role == 'erp' else 'stated_id is not null' }} as is_expected
    from records
    where role = 'crm'
),

right_records as (
    select
        *,
        {{ 'is_single or not is_known' if role == 'erp' else 'is_bound and (is_single or not is_known)' }} as is_expected
    from records
    where role = '{{ role }}'
)
{%- endmacro %}

{#- What must agree where both state it: one finding per pair, however much differs, so that it is one exception. -#}
{% macro customer_checks() -%}
{%- set differ = [
    ('tax id', 'tax_id', plain_word('l.tax_id') ~ ' <> ' ~ plain_word('r.tax_id')),
    ('currency', 'billed_in', 'l.billed_in <> r.billed_in and r.images = 1'),
    ('name', 'name', plain_name('l.name') ~ ' <> ' ~ plain_name('r.name')),
    ('parent', 'parent_id', 'l.parent_id <> r.parent_id and l.images = 1 and r.images = 1'),
] %}
{%- set sides = {} %}
{%- for side in ['l', 'r'] %}
{%- set parts = [] %}
{%- for what, column, when in differ %}
{%- do parts.append("case when " ~ when ~ " then '" ~ what ~ " ' || " ~ side ~ "." ~ column ~ " end") %}
{%- endfor %}
{%- do sides.update({side: "concat_ws(', ', " ~ parts | join(', ') ~ ")"}) %}
{%- endfor %}
{{ return([{'code': 'CUS-ATTR', 'what': 'stated', 'left': sides['l'], 'right': sides['r'], 'money': false}]) }}
{%- endmacro %}
