{#- Columns of an AR aging over open items `i` at a date: one per bucket, unapplied cash and credits apart. -#}
{% macro aging_columns(at) -%}
{%- for name, bucket in [('current', 'current'), ('days_1_30', '1-30'), ('days_31_60', '31-60'), ('days_61_90', '61-90'),
    ('days_91_120', '91-120'), ('days_over_120', '>120')] %}
{{ money("sum(case when i.shown_as = 'due' and " ~ aging_bucket('i.due_on', at) ~ " = '" ~ bucket
    ~ "' then i.open_amount else 0 end)") }} as {{ name }}_amount,
{%- endfor %}
{{ money("sum(case when i.shown_as = 'unapplied' then i.open_amount else 0 end)") }} as unapplied_amount,
{{ money("sum(case when i.shown_as = 'credit' then i.open_amount else 0 end)") }} as credit_amount,
{{ money('sum(i.open_amount)') }} as total_amount,
i.functional_currency,
{{ money('sum(i.functional_open_amount)') }} as functional_total_amount
{%- endmacro %}

{#- `select * from marts.ar_aging_at(date '2025-03-31')`: the aging at any date, from the balances of open items. -#}
{% macro create_ar_aging_at(items) -%}
create or replace macro {{ items.schema }}.ar_aging_at(asked_on) as table
with asked as (select cast(asked_on as date) as as_of_on)

select
    asked.as_of_on, i.legal_entity_id, coalesce(i.customer_id, 'unknown') as customer_id, i.currency,
    {{ aging_columns('asked.as_of_on') }}
from asked
inner join {{ items.schema }}.{{ items.identifier }} as i
    on asked.as_of_on between i.holds_from_on and i.holds_until_on
group by asked.as_of_on, i.legal_entity_id, coalesce(i.customer_id, 'unknown'), i.currency, i.functional_currency
{%- endmacro %}
