-- At the end of each year and in the month of as_of. The population is the newest the register of municipalities tells,
-- for all years alike: what changes from row to row is the capacity alone.
with

chosen as (
    select
        capacities.ags,
        municipalities.kreis_ags,
        capacities.technology,
        capacities.month,
        capacities.units,
        capacities.gross_capacity_kw,
        municipalities.population,
        municipalities.population_date,
        capacities.value_status
    from {{ ref('mart_energy_capacity') }} as capacities
    inner join {{ ref('dim_municipality') }} as municipalities on capacities.ags = municipalities.ags
    where extract(month from capacities.month) = 12 or capacities.month = {{ as_of_month() }}
),

sums as (
    select
        ags,
        technology,
        month,
        units,
        gross_capacity_kw,
        population,
        population_date,
        value_status,
        sum(case when population is not null then gross_capacity_kw end) over (
            partition by kreis_ags, technology, month
        ) as kreis_kw,
        sum(case when gross_capacity_kw is not null then population end) over (
            partition by kreis_ags, technology, month
        ) as kreis_population,
        sum(case when population is not null then gross_capacity_kw end) over (
            partition by technology, month
        ) as region_kw,
        sum(case when gross_capacity_kw is not null then population end) over (
            partition by technology, month
        ) as region_population
    from chosen
),

rates as (
    select
        ags,
        technology,
        month,
        population,
        population_date,
        value_status,
        1000 * cast(units as double) / nullif(population, 0) as units_per_1000,
        cast(gross_capacity_kw as double) / nullif(population, 0) as kw_per_capita,
        cast(kreis_kw as double) / nullif(kreis_population, 0) as kreis_kw_per_capita,
        cast(region_kw as double) / nullif(region_population, 0) as region_kw_per_capita
    from sums
)

select
    ags,
    technology,
    month,
    population,
    population_date,
    units_per_1000,
    kw_per_capita as gross_capacity_kw_per_capita,
    kreis_kw_per_capita as kreis_gross_capacity_kw_per_capita,
    region_kw_per_capita as region_gross_capacity_kw_per_capita,
    cast(case when kw_per_capita is not null then rank() over (
        partition by technology, month
        order by kw_per_capita desc nulls last
    ) end as integer) as rank_in_region,
    case when kw_per_capita is null then 'missing' else value_status end as value_status
from rates
