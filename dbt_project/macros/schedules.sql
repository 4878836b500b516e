{#- What is billed of an agreed line by a day, net: null where months cannot tell. `since` is the day that its intervals
    are counted from, and `lag` the months from there to the line's own start. Expects the columns of an agreed line with
    interval_months, is_in_arrears and is_whole (a term of whole months). -#}
{% macro billed_by(day, since, lag) -%}
{%- set intervals -%}
datesub('month', {{ since }}, {{ day }}) // interval_months + case when is_in_arrears then 0 else 1 end
{%- endset -%}
case
    when {{ day }} < service_starts_on then 0
    when charge_kind = 'one_time' or {{ day }} > service_ends_on then total_amount
    when is_whole
        then {{ share(
            'total_amount', 'greatest(least((' ~ intervals ~ ') * interval_months - ' ~ lag ~ ', months), 0)', 'months',
            'minor_units'
        ) }}
end
{%- endmacro %}
