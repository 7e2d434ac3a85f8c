{# Aggregates that engines spell differently. #}

{# The value at a share (0–1) of the ordered values, interpolated; null where there are none. #}
{% macro quantile(value_expression, share) -%}
    {{ return(adapter.dispatch('quantile')(value_expression, share)) }}
{%- endmacro %}

{% macro duckdb__quantile(value_expression, share) -%}
    quantile_cont({{ value_expression }}, {{ share }})
{%- endmacro %}

{# The value of the group's first row by an order that must be unique within the group; rows without a value are
   passed over. #}
{% macro first_by_order(value_expression, order_expression) -%}
    {{ return(adapter.dispatch('first_by_order')(value_expression, order_expression)) }}
{%- endmacro %}

{% macro duckdb__first_by_order(value_expression, order_expression) -%}
    arg_min({{ value_expression }}, {{ order_expression }})
{%- endmacro %}

{# The texts of the group in the given order, with ", " between; null where there are none. #}
{% macro joined_texts(text_expression, order_expression) -%}
    {{ return(adapter.dispatch('joined_texts')(text_expression, order_expression)) }}
{%- endmacro %}

{% macro duckdb__joined_texts(text_expression, order_expression) -%}
    string_agg({{ text_expression }}, ', ' order by {{ order_expression }})
{%- endmacro %}
