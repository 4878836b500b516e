{#- What two systems must agree on in a customer's or product's text: capitals, spaces and punctuation are typing,
    the legal form at the end is abbreviated at will. -#}
{% macro plain_word(expression) -%}
nullif(regexp_replace(upper(strip_accents({{ expression }})), '[^\p{L}\p{N}]', '', 'g'), '')
{%- endmacro %}

{% macro plain_name(expression) -%}
nullif(regexp_replace(
    regexp_replace(upper(strip_accents({{ expression }})), '[^\p{L}\p{N}]+', '', 'g'),
    '(INCORPORATED|INC|LIMITED|LTD|PLC|LLC|LLP|LP|CORPORATION|CORP|COMPANY|CO|GMBHCOKG|GMBH|AG|KG|SE|SA|SAS|SARL|SRL|SPA|BV|NV|AB|AS|OY|APS|KK|PTELTD|PTE|PTYLTD|PTY|WLL)$',
    ''
), '')
{%- endmacro %}
