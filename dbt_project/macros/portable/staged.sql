{# The staged Parquet of a table: `<REGION_STAGED>/<table>/*.parquet`. The only place that reads files. What a former
   version of a parser staged may lack a column. #}
{% macro staged(table) -%}
    {{ return(adapter.dispatch('staged')(table)) }}
{%- endmacro %}

{% macro duckdb__staged(table) -%}
    read_parquet(
        '{{ env_var("REGION_STAGED") | replace("'", "''") }}/{{ table }}/*.parquet',
        hive_partitioning = false,
        union_by_name = true
    )
{%- endmacro %}
