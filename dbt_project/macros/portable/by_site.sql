{# Counts are computed site by site: no row of a site depends on another site. `materialized: by_site` makes a table as
   `table` does, but from one batch of sites after the other (`int_site_batch`), so that memory is bounded by the batch
   and nothing spills. A mart takes the rows of sites that did not change from the former release; its intermediate
   models hold the sites alone that are computed. On other engines dbt_project.yml says `table`. #}
{% materialization by_site, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {{ drop_relation_if_exists(load_cached_relation(this)) }}
    {#- The contract alone first: no row is of no site. -#}
    {% call statement('main') -%}
        {{ create_table_as(False, target_relation, of_sites(sql, 'false')) }}
    {%- endcall %}
    {%- set columns = adapter.get_columns_in_relation(target_relation) | map(attribute='quoted') | join(', ') -%}
    {%- if taken_over_from() and run_query(sites_taken_over()) | length %}
        {% call statement('take_over') -%}
            insert into {{ target_relation }} ({{ columns }})
            select {{ columns }}
            from {{ former(taken_over_from()) }}
            where site_id in (select site_id from {{ site_batches() }} where batch_number is null)
        {%- endcall %}
    {%- endif %}
    {%- for batch in run_query(batches_to_compute()) %}
        {% call statement('batch_' ~ batch[0]) -%}
            insert into {{ target_relation }} ({{ columns }})
            select {{ columns }} from ({{ of_sites(sql, batch_condition(*batch)) }})
        {%- endcall %}
    {%- endfor %}
    {% do persist_docs(target_relation, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{# A query of a by_site model with each relation that has a column site_id cut to the sites of a condition. #}
{% macro of_sites(sql, condition) -%}
    {%- set inputs = [] -%}
    {%- for node_id in model.depends_on.nodes if 'site_id' in graph.nodes[node_id].columns -%}
        {%- do inputs.append(graph.nodes[node_id].relation_name) -%}
    {%- endfor -%}
    {%- if not inputs -%}
        {{ exceptions.raise_compiler_error(
            model.name ~ ': materialized by_site, but none of its inputs declares a column site_id'
        ) }}
    {%- endif -%}
    {#- The condition names a relation, too: all are marked before one is replaced. -#}
    {%- set cut = namespace(sql=sql) -%}
    {%- for relation in inputs -%}
        {%- set cut.sql = cut.sql | replace(relation, '<input ' ~ loop.index ~ '>') -%}
    {%- endfor -%}
    {%- for relation in inputs -%}
        {%- set of_sites = '(select * from ' ~ relation ~ ' where ' ~ condition ~ ')' -%}
        {%- set cut.sql = cut.sql | replace('<input ' ~ loop.index ~ '>', of_sites) -%}
    {%- endfor -%}
    {{ return(cut.sql) }}
{%- endmacro %}

{# The sites of a batch: the range lets files and row groups be passed over, the list leaves out who is taken over. #}
{% macro batch_condition(batch_number, first_site_id, last_site_id) -%}
    site_id between {{ text_literal(first_site_id) }} and {{ text_literal(last_site_id) }}
    and site_id in (select site_id from {{ site_batches() }} where batch_number = {{ batch_number }})
{%- endmacro %}

{# Every batch with its first and last site, in order. #}
{% macro batches_to_compute() -%}
    select batch_number, min(site_id) as first_site_id, max(site_id) as last_site_id
    from {{ site_batches() }}
    where batch_number is not null
    group by batch_number
    order by batch_number
{%- endmacro %}

{# A row where a site is taken over. #}
{% macro sites_taken_over() -%}
    select 1 from {{ site_batches() }} where batch_number is null limit 1
{%- endmacro %}

{% macro site_batches() -%}
    {{ return(graph.nodes['model.muensterland.int_site_batch'].relation_name) }}
{%- endmacro %}

{# Ids come from publishers' files. #}
{% macro text_literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}
