{# The schema is called exactly what the model's folder says (`marts`), never prefixed with the target's. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ target.schema if custom_schema_name is none else custom_schema_name | trim }}
{%- endmacro %}
