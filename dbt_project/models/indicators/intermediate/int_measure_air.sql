-- Annual means of the stations of a municipality, from their daily means; a station's year counts with three quarters
-- of its days (the law asks for 90 % of the hours, 39. BImSchV, Anlage 1; mart_air_quality_day leaves out incomplete
-- days).
with

sources as (
    select {{ joined_texts('distinct source_id', 'source_id') }} as source_id
    from {{ ref('stg_air_quality_reading') }}
),

days as (
    select
        station_id,
        ags,
        component,
        cast(extract(year from date) as integer) as year,
        mean_ug_m3
    from {{ ref('mart_air_quality_day') }}
    where
        component in ('no2', 'pm10')
        and value_status = 'measured'
        and mean_ug_m3 is not null
        and ags is not null
),

stations as (
    select
        station_id,
        ags,
        component,
        year,
        cast(sum(cast(mean_ug_m3 as decimal(18, 6))) as double) / count(*) as mean_ug_m3
    from days
    group by station_id, ags, component, year
    having count(*) >= {{ var('indicator_min_days_of_year') }}
),

municipalities as (
    select
        ags,
        component,
        year,
        cast(sum(cast(mean_ug_m3 as decimal(18, 6))) as double) / count(*) as mean_ug_m3
    from stations
    group by ags, component, year
)

select
    concat(municipalities.component, '_mean') as measure_id,
    municipalities.ags as area_id,
    cast(municipalities.year as varchar) as period,
    {{ period_end('cast(municipalities.year as varchar)') }} as period_date,
    municipalities.mean_ug_m3 as value,
    'measured' as value_status,
    cast(null as varchar) as reason,
    sources.source_id,
    false as is_additive,
    false as is_lasting
from municipalities
cross join sources
