{# The former release, an immutable file whose path is REGION_FORMER (empty: there is none), attached read-only.
   A site's rows are taken from it where everything they were computed from is the same by `inputs_key`, so a candidate
   is equal with it and without it. #}
{% macro attach_former() -%}
    {%- if env_var('REGION_FORMER', '') and target.type == 'duckdb' -%}
        attach if not exists {{ text_literal(env_var('REGION_FORMER')) }} as former (read_only)
    {%- endif -%}
{%- endmacro %}

{# A mart of the former release. #}
{% macro former(mart) -%}
    former.marts.{{ mart }}
{%- endmacro %}

{# What the former release says its sites were computed from: a relation (site_id, inputs_key), empty where there is no
   former release or where its version knew no keys. #}
{% macro former_inputs() -%}
    {%- if execute and env_var('REGION_FORMER', '') and run_query(former_knows_keys()) | length -%}
        (select site_id, inputs_key from {{ former('dim_counting_site') }})
    {%- else -%}
        (select cast(null as varchar) as site_id, cast(null as varchar) as inputs_key where false)
    {%- endif -%}
{%- endmacro %}

{% macro former_knows_keys() -%}
    select 1 from duckdb_columns()
    where
        database_name = 'former' and schema_name = 'marts' and table_name = 'dim_counting_site'
        and column_name = 'inputs_key'
{%- endmacro %}

{# The mart of the former release that rows of the model at hand are taken from: itself, or the mart that `meta` names;
   empty where there is none. #}
{% macro taken_over_from() -%}
    {%- set mart = this.identifier if model.schema == 'marts' else config.get('meta', {}).get('taken_over_from', '') -%}
    {{ return(mart if env_var('REGION_FORMER', '') else '') }}
{%- endmacro %}

{# What decides how counts are computed beside their inputs: the code of the models (REGION_MODELS, a hash over the
   project's files) and variables given by hand. The clock stands apart, in the keys of the sites that it concerns. #}
{% macro models_key() -%}
    {%- set given = [] -%}
    {%- for name, value in invocation_args_dict.get('vars', {}).items() if name != 'as_of' -%}
        {%- do given.append(name ~ '=' ~ tojson(value)) -%}
    {%- endfor -%}
    {{ local_md5(env_var('REGION_MODELS', '') ~ ' ' ~ (given | sort | join(' '))) }}
{%- endmacro %}
