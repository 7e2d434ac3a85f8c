-- sqlfluff:indentation:template_blocks_indent:False
-- Kreise and the region as sums of their parts, for tables that do not tell them: of what can be added up, where every
-- part of that day is measured. Of Cell-Key tables nothing is added up. Where a part is lacking the total says so.
with

measures as (
    select
        source_id,
        table_code,
        area_id,
        level,
        attribute_codes,
        value_variable_code,
        period,
        territory_date,
        value,
        unit,
        value_status,
        carried_by,
        is_count_of_persons,
        is_cell_key
    from {{ ref('int_statistic_measure') }}
    where territory_date is not null
),

areas as (
    select
        area_id,
        level,
        parent_area_id,
        valid_to
    from {{ ref('dim_area') }}
    where level in ('region', 'kreis', 'municipality')
),

-- An area is there from the day it came to be under its key to its last day.
lives as (
    select
        areas.area_id,
        areas.level,
        areas.parent_area_id,
        max(succession.created_date) as first_date,
        areas.valid_to as last_date
    from areas
    left join {{ ref('int_area_succession') }} as succession
        on
            areas.area_id = succession.from_area_id
            and areas.area_id = succession.area_id
    group by areas.area_id, areas.level, areas.parent_area_id, areas.valid_to
),

{% for level, part in [('kreis', 'municipality'), ('region', 'kreis')] -%}
{% set known = 'measures' if level == 'kreis' else 'with_kreise' -%}
parts_of_{{ level }} as (
    select
        series.source_id,
        series.table_code,
        lives.parent_area_id as area_id,
        series.attribute_codes,
        series.value_variable_code,
        series.period,
        series.territory_date,
        series.unit,
        series.carried_by,
        series.is_count_of_persons,
        series.is_cell_key,
        count(*) as parts,
        count(case when parts.value_status = 'measured' then parts.value end) as measured_parts,
        count(parts.area_id) as told_parts,
        sum(cast(parts.value as decimal(28, 6))) as value
    from (
        select distinct
            source_id,
            table_code,
            attribute_codes,
            value_variable_code,
            period,
            territory_date,
            unit,
            carried_by,
            is_count_of_persons,
            is_cell_key
        from {{ known }}
        where level = '{{ part }}'
    ) as series
    inner join lives
        on
            lives.level = '{{ part }}'
            and coalesce(series.territory_date >= lives.first_date, true)
            and coalesce(series.territory_date <= lives.last_date, true)
    left join {{ known }} as parts
        on
            series.source_id = parts.source_id
            and series.table_code = parts.table_code
            and series.attribute_codes = parts.attribute_codes
            and series.value_variable_code = parts.value_variable_code
            and series.period = parts.period
            and series.unit = parts.unit
            and lives.area_id = parts.area_id
    group by
        series.source_id,
        series.table_code,
        lives.parent_area_id,
        series.attribute_codes,
        series.value_variable_code,
        series.period,
        series.territory_date,
        series.unit,
        series.carried_by,
        series.is_count_of_persons,
        series.is_cell_key
    having count(parts.area_id) > 0
),

totals_of_{{ level }} as (
    select
        parts.source_id,
        parts.table_code,
        parts.area_id,
        '{{ level }}' as level,
        parts.attribute_codes,
        parts.value_variable_code,
        parts.period,
        parts.territory_date,
        case
            when parts.measured_parts = parts.parts and not parts.is_cell_key and parts.carried_by <> 'none'
                then cast(parts.value as double)
        end as value,
        parts.unit,
        case
            when parts.measured_parts = parts.parts and not parts.is_cell_key and parts.carried_by <> 'none'
                then 'measured'
            else 'missing'
        end as value_status,
        case
            when parts.is_cell_key then 'cell_key_not_summed'
            when parts.carried_by = 'none' then 'not_additive'
            when parts.measured_parts < parts.parts then 'part_missing'
        end as reason,
        parts.carried_by,
        parts.is_count_of_persons,
        parts.is_cell_key
    from parts_of_{{ level }} as parts
    left join {{ known }} as told
        on
            parts.source_id = told.source_id
            and parts.table_code = told.table_code
            and parts.area_id = told.area_id
            and parts.attribute_codes = told.attribute_codes
            and parts.value_variable_code = told.value_variable_code
            and parts.period = told.period
            and parts.unit = told.unit
    where told.area_id is null
){{ ',' if level == 'kreis' }}
{% if level == 'kreis' %}
with_kreise as (
    {%- for relation in ['measures', 'totals_of_kreis'] %}
    select
        source_id,
        table_code,
        area_id,
        level,
        attribute_codes,
        value_variable_code,
        period,
        territory_date,
        value,
        unit,
        value_status,
        carried_by,
        is_count_of_persons,
        is_cell_key
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{% endif -%}
{% endfor %}
{% for level in ['kreis', 'region'] -%}
select
    source_id,
    table_code,
    area_id,
    level,
    attribute_codes,
    value_variable_code,
    period,
    territory_date,
    value,
    unit,
    value_status,
    reason,
    carried_by,
    is_count_of_persons,
    is_cell_key
from totals_of_{{ level }}
{{ 'union all' if not loop.last }}
{% endfor %}
