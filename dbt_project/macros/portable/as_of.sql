{# The run's clock, the only one models know: an ISO instant with offset, given as --vars '{as_of: …}'. #}
{% macro as_of() -%}
    {{ return(adapter.dispatch('as_of')()) }}
{%- endmacro %}

{% macro duckdb__as_of() -%}
    cast('{{ var("as_of") }}' as timestamptz)
{%- endmacro %}

{# The first day of the month that `as_of` lies in, by local date. #}
{% macro as_of_month() -%}
    cast(date_trunc('month', {{ instant_to_local(as_of()) }}) as date)
{%- endmacro %}
