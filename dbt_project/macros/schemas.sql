{#- Schemas are named as they are; nothing is prefixed with the target's. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{#- Every staging model: the rows of one canonical entity that are in force and not deleted. -#}
{% macro in_force(entity) -%}
select * from {{ source('canonical', entity) }} where not is_deleted
{%- endmacro %}

{#- The business date the marts are asked for. It has no default: a model never reads the clock. -#}
{% macro as_of() -%}
{%- if execute and not var('as_of', none) -%}
{{ exceptions.raise_compiler_error("the variable as_of is missing; fix: --vars '{as_of: 2025-06-30}'") }}
{%- endif -%}
cast('{{ var("as_of", "2000-01-01") }}' as date)
{%- endmacro %}

{#- The role in a key `<role>:<native id>`, and the id in it. -#}
{% macro role_of(key) -%}left({{ key }}, strpos({{ key }}, ':') - 1){%- endmacro %}

{#- The n-th part of a key of parts. DuckDB 1.5 cannot bind split_part where a column holds nothing but null. -#}
{% macro part_of(key, separator, n) -%}string_split({{ key }}, '{{ separator }}')[{{ n }}]{%- endmacro %}

{% macro id_of(key) -%}substr({{ key }}, strpos({{ key }}, ':') + 1){%- endmacro %}

{#- The entity of a record that names none: the configured one, or the only one there is. Expects CTE sole_entity. -#}
{% macro sole_entity() -%}
select
    {% if var('default_legal_entity', none) -%}
    cast('{{ var("default_legal_entity") }}' as varchar) as legal_entity_id
    {%- else -%}
    case when count(*) = 1 then min(legal_entity_id) end as legal_entity_id
    {%- endif %}
from {{ ref('stg_legal_entities') }}
where not is_elimination
{%- endmacro %}
