{# Local civil time of the region is Europe/Berlin; instants are UTC (design, section 4). #}

{# The instant of a local time. Call it only where the local time is unique: noon, midnight. In the hour that autumn
   repeats DuckDB takes the second pass, other engines the first. #}
{% macro local_to_instant(local_expression) -%}
    {{ return(adapter.dispatch('local_to_instant')(local_expression)) }}
{%- endmacro %}

{% macro duckdb__local_to_instant(local_expression) -%}
    timezone('Europe/Berlin', cast({{ local_expression }} as timestamp))
{%- endmacro %}

{# The local civil time of an instant, without offset. #}
{% macro instant_to_local(instant_expression) -%}
    {{ return(adapter.dispatch('instant_to_local')(instant_expression)) }}
{%- endmacro %}

{% macro duckdb__instant_to_local(instant_expression) -%}
    timezone('Europe/Berlin', {{ instant_expression }})
{%- endmacro %}

{# An instant or local time, so many seconds later. #}
{% macro add_seconds(time_expression, seconds_expression) -%}
    {{ return(adapter.dispatch('add_seconds')(time_expression, seconds_expression)) }}
{%- endmacro %}

{% macro duckdb__add_seconds(time_expression, seconds_expression) -%}
    ({{ time_expression }} + to_seconds({{ seconds_expression }}))
{%- endmacro %}

{# "The time is measured from noon minus 12h of the service day (effectively midnight except for days on which daylight
   savings time changes occur)." GTFS Schedule reference, field type Time. The instant; null where one is null. #}
{% macro service_time_at(service_date, seconds) -%}
    {{ add_seconds(
        local_to_instant(add_seconds('cast(' ~ service_date ~ ' as timestamp)', 43200)), '(' ~ seconds ~ ' - 43200)'
    ) }}
{%- endmacro %}

{# The same as local civil time. #}
{% macro service_time_local(service_date, seconds) -%}
    {{ instant_to_local(service_time_at(service_date, seconds)) }}
{%- endmacro %}

{# Whole seconds from one instant to another, negative where that lies before; null where one is null. #}
{% macro seconds_between(earlier, later) -%}
    {{ return(adapter.dispatch('seconds_between')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    cast(date_diff('second', {{ earlier }}, {{ later }}) as integer)
{%- endmacro %}
