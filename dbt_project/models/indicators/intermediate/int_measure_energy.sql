-- Power and charging points at the end of each year, and in the latest month.
with

latest as (
    select max(month) as month
    from {{ ref('mart_energy_capacity') }}
),

latest_charging as (
    select max(month) as month
    from {{ ref('mart_charging') }}
),

unit_sources as (
    select {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from {{ ref('dim_energy_unit') }}
),

station_sources as (
    select {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from {{ ref('dim_charging_station') }}
),

told as (
    select
        concat(capacity.technology, '_kw') as measure_id,
        capacity.ags as area_id,
        capacity.month,
        capacity.gross_capacity_kw as value,
        capacity.value_status,
        unit_sources.source_id
    from {{ ref('mart_energy_capacity') }} as capacity
    cross join latest
    cross join unit_sources
    where
        capacity.technology in ('solar', 'wind')
        and (extract(month from capacity.month) = 12 or capacity.month = latest.month)
    union all
    select
        'charging_points' as measure_id,
        charging.ags as area_id,
        charging.month,
        cast(charging.charging_points as double) as value,
        charging.value_status,
        station_sources.source_id
    from {{ ref('mart_charging') }} as charging
    cross join latest_charging
    cross join station_sources
    where extract(month from charging.month) = 12 or charging.month = latest_charging.month
)

select
    measure_id,
    area_id,
    substr(cast(month as varchar), 1, 7) as period,
    {{ period_end('substr(cast(month as varchar), 1, 7)') }} as period_date,
    case when value_status not in ('missing', 'suppressed') then value end as value,
    value_status,
    case when value_status in ('missing', 'suppressed') then 'the register does not tell' end as reason,
    source_id,
    true as is_additive,
    false as is_lasting
from told
where source_id is not null
