{# The columns together are a key: no combination stands twice, no part is null. Returns what offends. `hour` names the
   column that is a whole hour, where rows are so many that telling them all apart would take minutes. #}
{% test unique_combination(model, columns, hour=none) %}
    {%- if hour is none %}
    select
        {{ columns | join(', ') }},
        count(*) as occurrences
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        or {{ columns | join(' is null or ') }} is null
    {%- else %}
    {%- set others = columns | reject('equalto', hour) | list %}
    select
        {{ others | join(', ') }},
        count(*) as rows_of_hours,
        {{ count_hours(hour) }} as hours
    from {{ model }}
    group by {{ others | join(', ') }}
    having
        count(*) <> {{ count_hours(hour) }}
        or {{ others | join(' is null or ') }} is null
    {%- endif %}
{% endtest %}
