{# ISO 8601 parts of a date: engines name them differently. #}

{# 1 = Monday … 7 = Sunday. #}
{% macro iso_weekday(date_expression) -%}
    {{ return(adapter.dispatch('iso_weekday')(date_expression)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(date_expression) -%}
    cast(isodow({{ date_expression }}) as integer)
{%- endmacro %}

{# Week 1 holds the year's first Thursday. #}
{% macro iso_week(date_expression) -%}
    {{ return(adapter.dispatch('iso_week')(date_expression)) }}
{%- endmacro %}

{% macro duckdb__iso_week(date_expression) -%}
    cast(week({{ date_expression }}) as integer)
{%- endmacro %}

{# The year an ISO week belongs to. #}
{% macro iso_year(date_expression) -%}
    {{ return(adapter.dispatch('iso_year')(date_expression)) }}
{%- endmacro %}

{% macro duckdb__iso_year(date_expression) -%}
    cast(isoyear({{ date_expression }}) as integer)
{%- endmacro %}

{# The hour of UTC that an instant lies in, as the instant it begins. #}
{% macro hour_of(instant_expression) -%}
    {{ return(adapter.dispatch('hour_of')(instant_expression)) }}
{%- endmacro %}

{# By arithmetic: DuckDB's date_trunc asks the calendar of the session's time zone, for each of very many rows. #}
{% macro duckdb__hour_of(instant_expression) -%}
    make_timestamptz(epoch_us({{ instant_expression }}) // 3600000000 * 3600000000)
{%- endmacro %}

{# Whole hours from one instant to a later one. #}
{% macro hours_between(earlier, later) -%}
    {{ return(adapter.dispatch('hours_between')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__hours_between(earlier, later) -%}
    cast(date_diff('hour', {{ earlier }}, {{ later }}) as integer)
{%- endmacro %}

{# Whole days from one date to a later one; negative where it is earlier. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch('days_between')(earlier, later)) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    cast(date_diff('day', {{ earlier }}, {{ later }}) as integer)
{%- endmacro %}

{# The last day of a period as official statistics write it: a year, a month, a day, or a month and how many months it
   goes on (2023-10P6M: a semester); null for any other text. #}
{% macro period_end(period_expression) -%}
    {{ return(adapter.dispatch('period_end')(period_expression)) }}
{%- endmacro %}

{% macro duckdb__period_end(period_expression) -%}
    case
        when regexp_full_match({{ period_expression }}, '[0-9]{4}')
            then try_cast({{ period_expression }} || '-12-31' as date)
        when regexp_full_match({{ period_expression }}, '[0-9]{4}-[0-9]{2}-[0-9]{2}')
            then try_cast({{ period_expression }} as date)
        when regexp_full_match({{ period_expression }}, '[0-9]{4}-[0-9]{2}')
            then last_day(try_cast({{ period_expression }} || '-01' as date))
        when regexp_full_match({{ period_expression }}, '[0-9]{4}-[0-9]{2}P[0-9]{1,2}M')
            then cast(
                try_cast(substr({{ period_expression }}, 1, 7) || '-01' as date)
                + to_months(cast(regexp_extract({{ period_expression }}, 'P([0-9]+)M', 1) as integer))
                - interval 1 day as date
            )
    end
{%- endmacro %}
