{#- One row per combination of the columns, none of them empty but those of `may_be_empty`. -#}
{% test grain(model, columns, may_be_empty=[]) %}
select {{ columns | join(', ') }}, count(*) as copies
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns if column not in may_be_empty %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}

{#- Sum in = sum out, per currency, to the last decimal; `amount` and `of_amount` are expressions. -#}
{% test conserves(model, amount, of, of_amount, by='currency', of_by=none, only='true', of_only='true') %}
with here as (
    select {{ by }} as scope, sum({{ amount }}) as amount from {{ model }} where {{ only }} group by {{ by }}
),

there as (
    select {{ of_by or by }} as scope, sum({{ of_amount }}) as amount from {{ of }} where {{ of_only }}
    group by {{ of_by or by }}
)

select coalesce(here.scope, there.scope) as scope, here.amount as in_mart, there.amount as in_source
from here
full outer join there on here.scope = there.scope
where coalesce(here.amount, 0) <> coalesce(there.amount, 0)
{% endtest %}

{#- A statement about every row; the rows of which it is false are returned. -#}
{% test holds(model, that) %}
select * from {{ model }} where not coalesce({{ that }}, false)
{% endtest %}
