with

yields as (
    select
        ags,
        month,
        case when count(yield_mwh_estimated) = count(*) then sum(yield_mwh_estimated) end as yield_mwh_estimated,
        min(reason) as reason
    from {{ ref('mart_energy_yield') }}
    group by ags, month
),

demands as (
    select
        month,
        sum(case when sector = 'household' then kwh_per_head end) as household_kwh_per_head,
        sum(case when sector = 'commerce' then kwh_per_head end) as commerce_kwh_per_head
    from {{ ref('int_demand_month') }}
    group by month
),

together as (
    select
        municipalities.ags,
        months.month,
        yields.yield_mwh_estimated,
        cast(municipalities.population * demands.household_kwh_per_head / 1000 as decimal(18, 3)) as household_mwh,
        cast(municipalities.population * demands.commerce_kwh_per_head / 1000 as decimal(18, 3)) as commerce_mwh,
        municipalities.population,
        municipalities.population_date,
        coalesce(
            yields.reason,
            case
                when yields.ags is null then 'capacity_missing'
                when municipalities.population is null then 'population_missing'
                when demands.household_kwh_per_head is null or demands.commerce_kwh_per_head is null
                    then 'profile_missing'
            end
        ) as reason
    from {{ ref('dim_municipality') }} as municipalities
    cross join {{ ref('int_estimate_month') }} as months
    left join yields
        on
            municipalities.ags = yields.ags
            and months.month = yields.month
    left join demands on months.month = demands.month
)

select
    ags,
    month,
    cast(yield_mwh_estimated as decimal(18, 3)) as yield_mwh_estimated,
    cast(household_mwh + commerce_mwh as decimal(18, 3)) as demand_mwh_estimated,
    case
        when household_mwh + commerce_mwh > 0
            then cast(yield_mwh_estimated as double) / cast(household_mwh + commerce_mwh as double)
    end as share,
    household_mwh as household_mwh_estimated,
    commerce_mwh as commerce_mwh_estimated,
    population,
    population_date,
    case when reason is null then 'estimated' else 'missing' end as value_status,
    reason
from together
