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

{# How many different whole hours the instants of a group are; what is no whole hour, or null, counts none. #}
{% macro count_hours(instant_expression) -%}
    {{ return(adapter.dispatch('count_hours')(instant_expression)) }}
{%- endmacro %}

{% macro default__count_hours(instant_expression) -%}
    count(distinct case when {{ hour_of(instant_expression) }} = {{ instant_expression }} then {{ instant_expression }} end)
{%- endmacro %}

{# A bit for each hour from 1980 to 2079; an instant beyond them is an error. #}
{% macro duckdb__count_hours(instant_expression) -%}
    coalesce(bit_count(bitstring_agg(
        case
            when epoch_us({{ instant_expression }}) % 3600000000 = 0
                then epoch_us({{ instant_expression }}) // 3600000000
        end,
        87648,
        964247
    )), 0)
{%- endmacro %}
