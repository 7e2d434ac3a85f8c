-- What is counted, on the territory of which day, and how it was protected.
with

dated as (
    select
        statistics.source_id,
        statistics.table_code,
        statistics.area_id,
        statistics.level,
        statistics.attribute_codes,
        statistics.value_variable_code,
        statistics.period,
        statistics.value,
        statistics.unit,
        statistics.value_status,
        coalesce(territories.territory_date, statistics.period_end_date) as territory_date
    from {{ ref('int_statistic_value') }} as statistics
    left join {{ ref('statistic_territory') }} as territories on statistics.table_code = territories.table_code
),

protected_tables as (
    select distinct told.table_code
    from (select distinct table_code from dated) as told
    inner join {{ ref('cell_key_table') }} as cell_key on told.table_code like cell_key.table_pattern
)

select
    dated.source_id,
    dated.table_code,
    dated.area_id,
    dated.level,
    dated.attribute_codes,
    dated.value_variable_code,
    dated.period,
    dated.territory_date,
    dated.value,
    dated.unit,
    dated.value_status,
    coalesce(variables.carried_by, 'none') as carried_by,
    case
        when protected_tables.table_code is not null then false
        when variables.counts is not null then variables.counts = 'persons'
        else lower(dated.unit) in ('', 'anzahl', 'number', 'personen', 'persons')
    end as is_count_of_persons,
    protected_tables.table_code is not null as is_cell_key
from dated
left join protected_tables on dated.table_code = protected_tables.table_code
left join {{ ref('statistic_variable') }} as variables on dated.value_variable_code = variables.value_variable_code
