-- sqlfluff:exclude_rules:RF04,ST06,LT02
-- Every cell that counts persons, published or added up, with a column per classifying variable: '' is the total. What
-- a publisher protected by Cell-Key is none of ours.
with

cells as (
    {%- for relation in ['int_statistic_measure', 'int_statistic_total'] %}
    select
        source_id,
        table_code,
        value_variable_code,
        period,
        area_id,
        attribute_codes,
        unit,
        value
    from {{ ref(relation) }}
    where is_count_of_persons
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    {{ cube_key(['source_id', 'table_code', 'value_variable_code', 'period', 'unit']) }} as cube_key,
    source_id,
    table_code,
    value_variable_code,
    period,
    area_id,
    attribute_codes,
    unit,
    value
    {%- for number in range(1, 7) %},
    split_part(split_part(attribute_codes, ';', {{ number }}), '=', 2) as class_{{ number }}
    {%- endfor %}
from cells
