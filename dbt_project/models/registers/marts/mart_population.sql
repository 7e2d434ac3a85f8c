-- The seed population_table says which statistical tables tell inhabitants of municipalities.
with

register as (
    select
        register.ags,
        register.population_date as date,
        register.source_id,
        register.population
    from {{ ref('stg_municipality_register') }} as register
    inner join {{ ref('dim_municipality') }} as municipalities on register.ags = municipalities.ags
    where
        register.population is not null
        and register.population_date is not null
    qualify row_number() over (
        partition by register.ags, register.population_date, register.source_id
        order by register.territory_date desc nulls last, register.snapshot_sha256 asc, register.record_number asc
    ) = 1
),

statistics as (
    select
        statistics.area_id as ags,
        try_cast(statistics.period as date) as date,
        statistics.source_id,
        cast(statistics.value as bigint) as population
    from {{ ref('int_statistic_value') }} as statistics
    inner join {{ ref('population_table') }} as population_tables
        on
            statistics.table_code = population_tables.table_code
            and statistics.value_variable_code = population_tables.value_variable_code
            and statistics.area_variable_code like population_tables.area_variable_pattern
            and statistics.attribute_codes = coalesce(population_tables.attribute_codes, '')
    where
        statistics.level = 'municipality'
        and statistics.value_status = 'measured'
)

select
    ags,
    date,
    source_id,
    population
from register
union all
select
    ags,
    date,
    source_id,
    population
from statistics
