-- sqlfluff:exclude_rules:RF04,ST06,LT02
-- Every cell that counts persons, published or added up, with a column per classifying variable: '' is the total. What
-- a publisher protected by Cell-Key is none of ours. Variables that are parts of another one (unemployed men) are cells
-- of its table, classified by themselves.
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
),

classified as (
    select
        cells.source_id,
        cells.table_code,
        cells.value_variable_code,
        coalesce(variables.part_of, cells.value_variable_code) as counted_variable_code,
        case when variables.part_of is not null then cells.value_variable_code else '' end as part_code,
        cells.period,
        cells.area_id,
        cells.attribute_codes,
        {{ class_codes('cells.attribute_codes') }} as class_codes,
        cells.unit,
        cells.value
    from cells
    left join {{ ref('statistic_variable') }} as variables
        on cells.value_variable_code = variables.value_variable_code
)

select
    {{ cube_key(['source_id', 'table_code', 'counted_variable_code', 'period', 'unit']) }} as cube_key,
    source_id,
    table_code,
    value_variable_code,
    counted_variable_code,
    period,
    area_id,
    attribute_codes,
    class_codes,
    unit,
    value
    {%- for number in range(1, 7) %},
    split_part(split_part(class_codes, ';', {{ number }}), '=', 2) as class_{{ number }}
    {%- endfor %},
    part_code as class_7
from classified
