{# Relations of generated rows, to select from. #}

{# `series_date`: every date from the first to the last, both ISO literals, both included. #}
{% macro date_series(first_date, last_date) -%}
    {{ return(adapter.dispatch('date_series')(first_date, last_date)) }}
{%- endmacro %}

{% macro duckdb__date_series(first_date, last_date) -%}
    (
        select cast(series.day_start as date) as series_date
        from generate_series(timestamp '{{ first_date }}', timestamp '{{ last_date }}', interval 1 day)
            as series (day_start)
    )
{%- endmacro %}

{# `series_number`: 0, 1, … below the limit, a whole number. #}
{% macro number_series(limit_number) -%}
    {{ return(adapter.dispatch('number_series')(limit_number)) }}
{%- endmacro %}

{% macro duckdb__number_series(limit_number) -%}
    (select series.number as series_number from range({{ limit_number }}) as series (number))
{%- endmacro %}
