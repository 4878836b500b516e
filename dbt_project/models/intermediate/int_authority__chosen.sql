-- Two systems keep an image of one invoice; counting both would double it. Per kind of record, the first role of
-- `document_roles` that has any is believed.
with roles as (
    {%- for role in var('document_roles') %}
        select
            {{ loop.index }} as preference,
            '{{ role }}' as role
        {{ ' union all' if not loop.last }}
    {%- endfor %}
),

held as (
    {%- for subject in ['invoices', 'payments', 'applications'] %}
        {%- set key = {'invoices': 'invoice_id', 'payments': 'payment_id', 'applications': 'application_id'}[subject] %}
        select distinct
            '{{ subject }}' as subject,
            {{ role_of(key) }} as role
        from {{ ref('stg_' ~ subject) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

ranked as (
    select
        held.subject,
        roles.role,
        roles.preference,
        min(roles.preference) over (partition by held.subject) as best
    from held
    inner join roles on held.role = roles.role
),

chosen as (
    select
        subject,
        role
    from ranked
    where preference = best
)

select * from chosen
