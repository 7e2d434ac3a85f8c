-- The seed population_table says which statistical tables tell inhabitants of municipalities.
--
-- Everything on today's territory: the register on the one it states, statistics as int_statistic_today carries them.
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
        cast(round(statistics.value) as bigint) as population,
        statistics.value_status
    from {{ ref('int_statistic_today') }} as statistics
    inner join {{ ref('dim_municipality') }} as municipalities on statistics.area_id = municipalities.ags
    inner join {{ ref('population_table') }} as population_tables
        on
            statistics.table_code = population_tables.table_code
            and statistics.value_variable_code = population_tables.value_variable_code
            and statistics.attribute_codes = coalesce(population_tables.attribute_codes, '')
    where statistics.value_status in ('measured', 'estimated')
)

select
    ags,
    date,
    source_id,
    population,
    'measured' as value_status
from register
union all
select
    ags,
    date,
    source_id,
    population,
    value_status
from statistics
