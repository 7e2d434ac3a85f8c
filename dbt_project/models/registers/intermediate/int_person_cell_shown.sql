-- sqlfluff:indentation:template_blocks_indent:False
-- Which cells that count persons may be shown.
--
-- The same cell may stand in several tables (a total by sex in one by sex and in one by sex and age). Where one of them
-- hides what another shows, the table with the most classifying variables speaks alone: of the others every cell of
-- that variable and period is hidden, so that nobody can put two halves together.
with

cells as (
    select
        cells.cube_key,
        cells.source_id,
        cells.table_code,
        cells.value_variable_code,
        cells.counted_variable_code,
        cells.period,
        cells.area_id,
        cells.attribute_codes,
        cells.class_codes,
        cells.class_7,
        cells.value,
        hidden.cube_key is not null as is_hidden,
        case
            {%- for number in range(6, 0, -1) %}
            when split_part(cells.attribute_codes, ';', {{ number }}) <> '' then {{ number }}
            {%- endfor %}
            else 0
        end as classes
    from {{ ref('int_person_cell') }} as cells
    left join {{ ref('int_person_cell_hidden') }} as hidden
        on
            cells.cube_key = hidden.cube_key
            and cells.area_id = hidden.area_id
            {%- for number in range(1, 8) %}
            and cells.class_{{ number }} = hidden.class_{{ number }}
            {%- endfor %}
),

linked as (
    select
        counted_variable_code,
        period
    from cells
    group by counted_variable_code, period
    having
        count(distinct cube_key) > 1
        and max(case when is_hidden then 1 else 0 end) = 1
),

numbered as (
    select distinct
        cells.cube_key,
        cells.area_id,
        cells.class_codes,
        split_part(cells.class_codes, ';', cast(numbers.series_number + 1 as integer)) as code
    from cells
    inner join linked
        on
            cells.counted_variable_code = linked.counted_variable_code
            and cells.period = linked.period
    cross join {{ number_series(6) }} as numbers
),

categories as (
    select
        numbered.cube_key,
        numbered.area_id,
        numbered.class_codes,
        {{ joined_texts('numbered.code', 'numbered.code') }} as codes
    from numbered
    where split_part(numbered.code, '=', 2) <> ''
    group by numbered.cube_key, numbered.area_id, numbered.class_codes
),

keyed as (
    select
        cells.cube_key,
        cells.classes,
        cells.is_hidden,
        cells.value,
        {{ cube_key([
            'cells.counted_variable_code',
            'cells.period',
            'cells.area_id',
            'cells.class_7',
            "coalesce(categories.codes, '')"
        ]) }} as cell_key
    from cells
    inner join linked
        on
            cells.counted_variable_code = linked.counted_variable_code
            and cells.period = linked.period
    left join categories
        on
            cells.cube_key = categories.cube_key
            and cells.area_id = categories.area_id
            and cells.class_codes = categories.class_codes
),

same_cells as (
    select
        cube_key,
        row_number() over (partition by cell_key order by classes desc, cube_key asc) as place,
        max(case when is_hidden then 1 else 0 end) over (partition by cell_key) as is_hidden_somewhere,
        max(case when is_hidden or value is null then 0 else 1 end) over (partition by cell_key) as is_shown_somewhere
    from keyed
),

silent as (
    select distinct cube_key
    from same_cells
    where
        place > 1
        and is_hidden_somewhere = 1
        and is_shown_somewhere = 1
)

select
    cells.source_id,
    cells.table_code,
    cells.value_variable_code,
    cells.period,
    cells.area_id,
    cells.attribute_codes,
    -- Told in several units, a cell is shown in all of them or in none.
    min(case when not cells.is_hidden and silent.cube_key is null then 1 else 0 end) = 1 as is_shown
from cells
left join silent on cells.cube_key = silent.cube_key
group by
    cells.source_id,
    cells.table_code,
    cells.value_variable_code,
    cells.period,
    cells.area_id,
    cells.attribute_codes
