{#- What a change of a customer's recurring revenue is. Zero before, zero now and "ever above zero" are asked first:
    asked in any other order, churn and reactivation can never come out (DOMAIN.md, section 3). -#}
{% macro mrr_movement(previous, current, ever, same='unchanged') -%}
case
    when {{ previous }} = 0 and {{ current }} = 0 then 'none'
    when {{ previous }} = 0 and {{ ever }} > 0 then 'reactivation'
    when {{ previous }} = 0 then 'new'
    when {{ current }} = 0 then 'churn'
    when {{ current }} > {{ previous }} then 'expansion'
    when {{ current }} < {{ previous }} then 'contraction'
    else '{{ same }}'
end
{%- endmacro %}

{#- Bucket of an open item by its due date. -#}
{% macro aging_bucket(due_on, at) -%}
case
    when {{ due_on }} >= {{ at }} then 'current'
    when {{ at }} - {{ due_on }} <= 30 then '1-30'
    when {{ at }} - {{ due_on }} <= 60 then '31-60'
    when {{ at }} - {{ due_on }} <= 90 then '61-90'
    when {{ at }} - {{ due_on }} <= 120 then '91-120'
    else '>120'
end
{%- endmacro %}
