{# The run's clock, the only one models know: the local midnight that begins the day of `as_of`, an ISO instant with
   offset given as --vars '{as_of: …}'. A release so depends on the date alone, and two runs of a day agree. #}
{% macro as_of_day() -%}
    {{ return(local_to_instant("date_trunc('day', " ~ instant_to_local(as_of_instant()) ~ ")")) }}
{%- endmacro %}

{# The local date of `as_of`. #}
{% macro as_of_date() -%}
    cast(date_trunc('day', {{ instant_to_local(as_of_instant()) }}) as date)
{%- endmacro %}

{# The first day of the month that `as_of` lies in, by local date. #}
{% macro as_of_month() -%}
    cast(date_trunc('month', {{ instant_to_local(as_of_instant()) }}) as date)
{%- endmacro %}

{% macro as_of_instant() -%}
    {{ return(adapter.dispatch('as_of_instant')()) }}
{%- endmacro %}

{% macro duckdb__as_of_instant() -%}
    cast('{{ var("as_of") }}' as timestamptz)
{%- endmacro %}
