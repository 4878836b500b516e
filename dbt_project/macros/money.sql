{#- Money and rates, exactly. DuckDB's `/` gives a float and a product of two short decimals overflows:
    so every product and quotient of amounts goes through this file. -#}

{% macro money(expression) -%}cast({{ expression }} as decimal(18, 4)){%- endmacro %}

{% macro rate(expression) -%}cast({{ expression }} as decimal(28, 12)){%- endmacro %}

{#- Round to a currency's minor units; half away from zero, or half to even. -#}
{% macro rounded(expression, minor_units, mode=none) -%}
{%- set mode = mode or var('rounding', 'half_away') -%}
{%- if execute and mode not in ['half_away', 'half_even'] -%}
{{ exceptions.raise_compiler_error("rounding is " ~ mode ~ "; fix: half_away or half_even") }}
{%- endif -%}
case {{ minor_units }}
    {%- for digits in [0, 2, 3] %}
    when {{ digits }} then {{ money(rounded_at(expression, digits, mode)) }}
    {%- endfor %}
    else {{ money(rounded_at(expression, 4, mode)) }}
end
{%- endmacro %}

{% macro rounded_at(expression, digits, mode) -%}
{%- if mode == 'half_even' -%}
{%- set half = '0.' ~ '0' * digits ~ '5' -%}
{%- set two = '0.' ~ '0' * (digits - 1) ~ '2' if digits else '2' -%}
{#- A tie lies half a unit from the number rounded away from zero; an odd result then steps back. -#}
round({{ expression }}, {{ digits }}) - case
    when
        abs(round({{ expression }}, {{ digits }}) - ({{ expression }})) = {{ half }}
        and round({{ expression }}, {{ digits }}) % {{ two }} <> 0
        then sign({{ expression }}) * {{ half }} * 2
    else 0
end
{%- else -%}
round({{ expression }}, {{ digits }})
{%- endif -%}
{%- endmacro %}

{#- amount × rate in the target currency's minor units. Null rate, null result: never 1. -#}
{% macro converted(amount, rate, minor_units, mode=none) -%}
{%- set product = 'cast(' ~ amount ~ ' as decimal(38, 4)) * cast(' ~ rate ~ ' as decimal(38, 12))' -%}
{{ rounded(product, minor_units, mode) }}
{%- endmacro %}

{#- total × part ÷ whole in minor units, half away from zero, in whole-number arithmetic. -#}
{% macro share(total, part, whole, minor_units) -%}
{%- set numerator -%}
(cast(cast({{ total }} as decimal(28, 4)) * 10000 as hugeint) * cast(cast({{ part }} as decimal(28, 4)) * 10000 as hugeint))
{%- endset -%}
{%- set unit = '(case ' ~ minor_units ~ ' when 0 then 10000 when 2 then 100 when 3 then 10 else 1 end)' -%}
{%- set divisor = '(cast(cast(' ~ whole ~ ' as decimal(28, 4)) * 10000 as hugeint) * ' ~ unit ~ ')' -%}
case
    when {{ whole }} = 0 then null
    else {{ money(
        'cast((case when ' ~ numerator ~ ' < 0 then -1 else 1 end) * (case when ' ~ divisor ~ ' < 0 then -1 else 1 end)'
        ~ ' * ((2 * abs(' ~ numerator ~ ') + abs(' ~ divisor ~ ')) // (2 * abs(' ~ divisor ~ '))) * ' ~ unit
        ~ " as decimal(28, 0)) * cast('0.0001' as decimal(5, 4))"
    ) }}
end
{%- endmacro %}

{#- A whole allocated over lines by cumulative rounding: the parts sum to it exactly. Null when the weights sum to 0. -#}
{% macro allocated(total, weight, partition_by, order_by, minor_units) -%}
{%- set whole = 'sum(' ~ weight ~ ') over (partition by ' ~ partition_by ~ ')' -%}
{%- set upto = 'sum(' ~ weight ~ ') over (partition by ' ~ partition_by ~ ' order by ' ~ order_by
    ~ ' rows between unbounded preceding and current row)' -%}
{{ money(
    '(case when ' ~ upto ~ ' = ' ~ whole ~ ' then ' ~ total ~ ' else ' ~ share(total, upto, whole, minor_units) ~ ' end)'
    ~ ' - (case when ' ~ upto ~ ' - ' ~ weight ~ ' = ' ~ whole ~ ' then ' ~ total ~ ' else '
    ~ share(total, '(' ~ upto ~ ' - ' ~ weight ~ ')', whole, minor_units) ~ ' end)'
) }}
{%- endmacro %}

{#- Lines converted by cumulative rounding, so that they sum to the conversion of their document. -#}
{% macro converted_lines(amount, rate, minor_units, partition_by, order_by) -%}
{%- set upto = 'sum(' ~ amount ~ ') over (partition by ' ~ partition_by ~ ' order by ' ~ order_by
    ~ ' rows between unbounded preceding and current row)' -%}
{{ money(converted(upto, rate, minor_units) ~ ' - ' ~ converted('(' ~ upto ~ ' - ' ~ amount ~ ')', rate, minor_units)) }}
{%- endmacro %}

{#- 1 ÷ rate to twelve decimals, in whole-number arithmetic. -#}
{% macro inverse(expression) -%}
{%- set scaled = 'cast(cast(' ~ expression ~ " as decimal(38, 12)) * 1000000000000 as hugeint)" -%}
cast(
    cast((2 * cast('1000000000000000000000000' as hugeint) + {{ scaled }}) // (2 * {{ scaled }}) as decimal(25, 0))
    * cast('0.000000000001' as decimal(13, 12)) as decimal(28, 12)
)
{%- endmacro %}

{#- An amount as a sentence shows it: in the minor units of its currency, and in all its decimals where it has more (an
    amount that is wrong must not look right). Without a currency it is a count. The exceptions from two decimals are
    those of finpipe/reference/currencies.py; a test compares them. -#}
{% macro printed(amount, currency) -%}
case
    when {{ currency }} is null then {{ plain_number(amount) }}
    {%- for digits, codes in printed_units().items() %}
    when {{ currency }} in ('{{ codes.split() | join("', '") }}') and {{ amount }} = round({{ amount }}, {{ digits }})
        then cast(cast({{ amount }} as decimal(38, {{ digits }})) as varchar)
    {%- endfor %}
    when {{ amount }} = round({{ amount }}, 2) and {{ currency }} not in (
        '{{ printed_units().values() | join(" ") | replace(" ", "', '") }}'
    )
        then cast(cast({{ amount }} as decimal(38, 2)) as varchar)
    else {{ plain_number(amount) }}
end
{%- endmacro %}

{#- A number without the zeros that its type puts behind it: `12.500000000000` is 12.5. -#}
{% macro plain_number(number) -%}
rtrim(regexp_replace(cast({{ number }} as varchar), '(\.\d*?)0+$', '\1'), '.')
{%- endmacro %}

{% macro printed_units() -%}
{{ return({
    0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
    3: 'BHD IQD JOD KWD LYD OMR TND',
    4: 'CLF UYW',
}) }}
{%- endmacro %}
