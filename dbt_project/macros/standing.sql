{#- What stands is not built again. A table or test follows from its SQL as compiled, the code around it, and what the
    tables it reads say; `ledger.built` keeps that fingerprint, and for a table also one of what it says itself. Where a
    table comes out as it was, nothing behind it is touched. Only a build sets the code's version: everything else that
    runs dbt builds everything. -#}
{% macro code_version() -%}{{ return(env_var('FINPIPE_CODE_VERSION', '')) }}{%- endmacro %}

{#- The tables that a node reads, as `schema.name`; a view stands for what it reads. -#}
{% macro tables_read(node) -%}
{%- set found = [] -%}
{%- for parent in node.depends_on.nodes -%}
    {%- set said = graph.sources.get(parent) or graph.nodes[parent] -%}
    {%- if parent in graph.sources -%}
        {%- do found.append(said.schema ~ '.' ~ said.identifier) -%}
    {%- elif said.config.materialized == 'view' -%}
        {%- do found.extend(tables_read(said)) -%}
    {%- else -%}
        {%- do found.append(said.schema ~ '.' ~ said.alias) -%}
    {%- endif -%}
{%- endfor -%}
{{ return(found | unique | sort) }}
{%- endmacro %}

{#- Fingerprint of all that a node follows from; none while something it reads is not known to stand. -#}
{% macro follows_from(node) -%}
{%- set tables = tables_read(node) -%}
{%- set said -%}
select case when count(*) = {{ tables | length }} then
    md5(concat_ws('|', '{{ code_version() }}', '{{ local_md5(node.compiled_code) }}',
        string_agg(name || ' ' || says, ',' order by name)))
end
from ledger.built where name in ({{ "'" ~ (tables | join("', '")) ~ "'" }})
{%- endset -%}
{{ return(run_query(said).columns[0].values()[0]) }}
{%- endmacro %}

{% macro stands(name, inputs) -%}
{%- set said = "select 1 from ledger.built where name = '" ~ name ~ "' and inputs = '" ~ inputs ~ "'" -%}
{{ return(inputs is not none and run_query(said).rows | length > 0) }}
{%- endmacro %}

{#- Says nothing of a table or test any more: from here until it is built again, a stop leaves it unknown. -#}
{% macro forget(name) -%}
{%- do run_query("delete from ledger.built where name = '" ~ name ~ "'") -%}
{%- endmacro %}

{% macro remember(name, inputs, says) -%}
{%- do run_query("insert into ledger.built select '" ~ name ~ "', '" ~ inputs ~ "', " ~ says) -%}
{%- endmacro %}

{% materialization table, adapter='duckdb' -%}
{%- set name = this.schema ~ '.' ~ this.identifier -%}
{%- if not code_version() -%}
    {{ return(dbt.materialization_table_duckdb()) }}
{%- endif -%}
{%- set inputs = follows_from(model) -%}
{%- if load_cached_relation(this) is not none and stands(name, inputs) -%}
    {%- call noop_statement('main', 'UNTOUCHED', code='UNTOUCHED', rows_affected=0) -%}{%- endcall -%}
    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endif -%}
{%- do forget(name) -%}
{%- set built = dbt.materialization_table_duckdb() -%}
{%- if inputs is not none -%}
    {%- do remember(name, inputs, table_says(this)) -%}
{%- endif -%}
{{ return(built) }}
{%- endmaterialization %}

{#- One text for what a table says, whatever the order of its rows: as a scalar query. -#}
{% macro table_says(relation) -%}
(select concat_ws(' ', count(*), sum(hash(said)::hugeint), bit_xor(hash(said))) from {{ relation }} as said)
{%- endmacro %}

{#- A test that passed over exactly these tables passes again. -#}
{% materialization test, adapter='duckdb' -%}
{%- if not code_version() -%}
    {{ return(dbt.materialization_test_default()) }}
{%- endif -%}
{%- set inputs = follows_from(model) -%}
{%- if stands(model.unique_id, inputs) -%}
    {%- call statement('main', fetch_result=True) -%}
        select 0 as failures, false as should_warn, false as should_error
    {%- endcall -%}
    {{ return({'relations': []}) }}
{%- endif -%}
{%- do forget(model.unique_id) -%}
{%- set tested = dbt.materialization_test_default() -%}
{%- if inputs is not none and load_result('main').table.rows[0][0] == 0 -%}
    {%- do remember(model.unique_id, inputs, "'passed'") -%}
    {#- dbt takes back what a test leaves uncommitted. -#}
    {%- do adapter.commit() -%}
{%- endif -%}
{{ return(tested) }}
{%- endmaterialization %}
