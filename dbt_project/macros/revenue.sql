{#- Revenue over time: what of a line is recognised by the end of a day. Amounts are whole numbers of ten-thousandths here:
    machine integers cost a tenth of decimals, and a schedule has many rows. -#}

{% macro ten_thousandths(amount) -%}cast(cast({{ amount }} as decimal(28, 4)) * 10000 as bigint){%- endmacro %}

{% macro from_ten_thousandths(amount) -%}
{{ money('cast(' ~ amount ~ " as decimal(18, 0)) * cast('0.0001' as decimal(5, 4))") }}
{%- endmacro %}

{#- A minor unit in ten-thousandths, and as an amount. -#}
{% macro minor_unit_size(minor_units) -%}
case coalesce({{ minor_units }}, 2) when 0 then 10000 when 2 then 100 when 3 then 10 else 1 end
{%- endmacro %}

{% macro minor_unit(minor_units) -%}
case coalesce({{ minor_units }}, 2) when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end
{%- endmacro %}

{#- What is recognised of `amount` by the end of a day: days served of all days, rounded half away from zero as a running
    total, so that the differences between days sum to the whole. Nothing after a void, which takes everything back.
    Expects a row with starts_on, days and voided_on. -#}
{% macro recognised_by(amount, day, size) -%}
{%- set served = '(' ~ day ~ ' - starts_on + 1)' -%}
cast(case
    when voided_on <= {{ day }} then 0
    when {{ day }} < starts_on then 0
    when {{ served }} >= days then {{ amount }}
    when abs({{ amount }}) < 100000000000000 and days < 36600
        then {{ share_of_days(amount, served, size) }}
    else cast({{ share_of_days('cast(' ~ amount ~ ' as hugeint)', served, size) }} as bigint)
end as bigint)
{%- endmacro %}

{% macro share_of_days(amount, served, size) -%}
(2 * abs({{ amount }}) * {{ served }} + days * {{ size }}) // (2 * days * {{ size }}) * {{ size }} * sign({{ amount }})
{%- endmacro %}
