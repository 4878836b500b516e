{#- Revenue over time: what of a line is recognised by the end of a day, and which postings of the ledger are revenue. -#}

{#- What is recognised of `amount` by the end of a day: days served of all days, rounded as a running total, so that the
    differences between days sum to the whole. Nothing after a void, which takes everything back. Expects a row with
    starts_on, days and voided_on. -#}
{% macro recognised_by(amount, day, minor_units) -%}
case
    when voided_on <= {{ day }} then 0
    when {{ day }} < starts_on then 0
    when {{ day }} - starts_on + 1 >= days then {{ amount }}
    else {{ share(amount, day ~ ' - starts_on + 1', 'days', 'coalesce(' ~ minor_units ~ ', 2)') }}
end
{%- endmacro %}

{#- One minor unit of a currency. -#}
{% macro minor_unit(minor_units) -%}
case coalesce({{ minor_units }}, 2) when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end
{%- endmacro %}
