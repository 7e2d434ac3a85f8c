-- Capacity of the municipality at the month's end times what Germany's capacity of the technology made in the same
-- intervals, over that capacity: yield = capacity x (national generation / national capacity). Intervals that nobody
-- measured are taken to be as the others.
with

expected as (
    select
        capacity.ags,
        capacity.technology,
        capacity.month,
        capacity.gross_capacity_kw,
        capacity.value_status as capacity_status,
        market.value as national_generation_mwh,
        market.measured_share,
        market.intervals_measured,
        nation.capacity_mw as national_capacity_mw,
        nation.told_by as national_capacity_told_by,
        nation.told_year as national_capacity_year
    from {{ ref('mart_energy_capacity') }} as capacity
    inner join {{ ref('technology_series') }} as technologies on capacity.technology = technologies.technology
    inner join {{ ref('int_estimate_month') }} as months on capacity.month = months.month
    left join {{ ref('int_market_month') }} as market
        on
            technologies.generation_series = market.series
            and capacity.month = market.month
    left join {{ ref('int_national_capacity') }} as nation
        on
            capacity.technology = nation.technology
            and capacity.month = nation.month
),

explained as (
    select
        ags,
        technology,
        month,
        gross_capacity_kw,
        national_generation_mwh,
        national_capacity_mw,
        national_capacity_told_by,
        national_capacity_year,
        coalesce(measured_share, 0) as measured_share,
        case
            when capacity_status = 'missing' then 'capacity_missing'
            when coalesce(intervals_measured, 0) = 0 then 'market_missing'
            when measured_share < {{ var('market_month_min_share') }} then 'market_incomplete'
            when national_capacity_mw is null then 'national_capacity_missing'
        end as reason
    from expected
)

select
    ags,
    technology,
    month,
    cast(
        case
            when reason is null
                then
                    cast(gross_capacity_kw as double) / 1000
                    * cast(national_generation_mwh as double)
                    / cast(measured_share as double)
                    / cast(national_capacity_mw as double)
        end as decimal(18, 3)
    ) as yield_mwh_estimated,
    case when reason is null then 'estimated' else 'missing' end as value_status,
    reason,
    gross_capacity_kw,
    national_generation_mwh,
    national_capacity_mw,
    national_capacity_told_by,
    national_capacity_year,
    cast(measured_share as double) as market_measured_share
from explained
