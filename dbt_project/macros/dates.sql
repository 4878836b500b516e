{#- Every day between two dates, both included. -#}
{% macro days_between(starts_on, ends_on) -%}
unnest(generate_series(cast({{ starts_on }} as timestamp), cast({{ ends_on }} as timestamp), interval 1 day))
{%- endmacro %}

{#- `2025-Q1` of a date by the calendar year. -#}
{% macro calendar_quarter(day) -%}
strftime({{ day }}, '%Y') || '-Q' || cast(extract(quarter from {{ day }}) as varchar)
{%- endmacro %}

{#- Number of weekdays before a date (Saturday and Sunday count as the Monday after). -#}
{% macro weekday_number(day) -%}
((({{ day }}) - date '1900-01-01') // 7 * 5 + least((({{ day }}) - date '1900-01-01') % 7, 5))
{%- endmacro %}

{#- The day a number of months later, less one day: the last day of a term. -#}
{% macro last_day_of_term(starts_on, months) -%}
cast({{ starts_on }} + to_months(cast({{ months }} as integer)) - interval 1 day as date)
{%- endmacro %}

{#- The day so many weekdays later; from a Saturday or Sunday it is counted as from the Monday after. -#}
{% macro weekdays_later(day, weekdays) -%}
cast(date '1900-01-01' + cast(
    ({{ weekday_number(day) }} + {{ weekdays }}) // 5 * 7 + ({{ weekday_number(day) }} + {{ weekdays }}) % 5 as integer
) as date)
{%- endmacro %}

{#- Weekdays by which something due was late, or is late at the cut while it has not happened; 0 in time, empty where
    nothing is due. -#}
{% macro weekdays_late(reached_on, due_on) -%}
case
    when {{ due_on }} is not null
        then cast(greatest(
            {{ weekday_number('coalesce(' ~ reached_on ~ ', ' ~ as_of() ~ ')') }} - {{ weekday_number(due_on) }}, 0
        ) as integer)
end
{%- endmacro %}
