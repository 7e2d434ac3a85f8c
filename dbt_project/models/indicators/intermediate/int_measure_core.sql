-- Inhabitants by the register (the census counts by another method, and is protected), areas, and of how many domains a
-- fresh source tells.
with

from_statistics as (
    select distinct source_id
    from {{ ref('mart_statistic') }}
),

population as (
    select
        population.ags,
        population.date,
        population.source_id,
        population.population
    from {{ ref('mart_population') }} as population
    left join from_statistics on population.source_id = from_statistics.source_id
    where from_statistics.source_id is null
),

territory as (
    select
        municipalities.ags,
        municipalities.area_km2,
        max(population.date) as date,
        min(population.source_id) as source_id
    from {{ ref('dim_municipality') }} as municipalities
    inner join population on municipalities.ags = population.ags
    where municipalities.area_km2 > 0
    group by municipalities.ags, municipalities.area_km2
),

domains as (
    select
        ags,
        domain,
        max(case when freshness_status = 'fresh' then 1 else 0 end) as is_fresh
    from {{ ref('mart_coverage') }}
    group by ags, domain
),

fresh as (
    select
        ags,
        count(*) as domains,
        sum(is_fresh) as domains_fresh
    from domains
    group by ags
)

select
    'population' as measure_id,
    ags as area_id,
    cast(date as varchar) as period,
    date as period_date,
    cast(population as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    source_id,
    true as is_additive,
    false as is_lasting
from population
union all
select
    'area_km2' as measure_id,
    ags as area_id,
    cast(date as varchar) as period,
    date as period_date,
    area_km2 as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    source_id,
    true as is_additive,
    true as is_lasting
from territory
union all
select
    'domains' as measure_id,
    ags as area_id,
    cast(extract(year from {{ as_of_date() }}) as varchar) as period,
    {{ period_end('cast(extract(year from ' ~ as_of_date() ~ ') as varchar)') }} as period_date,
    cast(domains as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    'mart_coverage' as source_id,
    true as is_additive,
    false as is_lasting
from fresh
union all
select
    'domains_fresh' as measure_id,
    ags as area_id,
    cast(extract(year from {{ as_of_date() }}) as varchar) as period,
    {{ period_end('cast(extract(year from ' ~ as_of_date() ~ ') as varchar)') }} as period_date,
    cast(domains_fresh as double) as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    'mart_coverage' as source_id,
    true as is_additive,
    false as is_lasting
from fresh
