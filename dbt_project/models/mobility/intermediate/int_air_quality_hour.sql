-- One row per station, component and hour of the days of the station's readings, with its mean. Days are those of
-- Central European Time (UTC+1) all year, in which the law counts (39. BImSchV Anlage 7 names hours in „MEZ“) and the
-- UBA's API tells its hours: each has 24 hours, also where the clocks change. Of several sources the one with the lower
-- priority that has a value speaks for the hour, whatever was read first.
with

readings as (
    select
        readings.source_id,
        readings.station_id,
        readings.station_name,
        readings.component,
        readings.averaging,
        readings.interval_start_at,
        cast(readings.value_ug_m3 as decimal(18, 6)) as value_ug_m3,
        catalogue.priority
    from {{ ref('stg_air_quality_reading') }} as readings
    inner join {{ ref('stg_source_catalogue') }} as catalogue on readings.source_id = catalogue.source_id
    where readings.interval_minutes = 60
),

told as (
    select
        source_id,
        station_id,
        station_name,
        component,
        averaging,
        interval_start_at,
        value_ug_m3,
        row_number() over (
            partition by station_id, component, interval_start_at
            order by
                case when value_ug_m3 is null then 1 else 0 end asc,
                priority asc,
                source_id asc,
                averaging asc,
                value_ug_m3 desc
        ) as place,
        min(value_ug_m3) over (partition by station_id, component, interval_start_at) as value_min,
        max(value_ug_m3) over (partition by station_id, component, interval_start_at) as value_max
    from readings
),

spoken as (
    select
        source_id,
        station_id,
        station_name,
        component,
        averaging,
        value_ug_m3,
        value_min <> value_max as is_contradicted,
        cast({{ add_seconds('interval_start_at', '3600') }} as date) as date,
        extract(hour from {{ add_seconds('interval_start_at', '3600') }}) as hour_of_day
    from told
    where place = 1
),

stations as (
    select
        station_id,
        min(date) as first_date,
        max(date) as last_date
    from spoken
    group by station_id
),

components as (
    select
        station_id,
        component,
        min(source_id) as source_id,
        max(station_name) as station_name,
        min(averaging) as averaging,
        max(case when value_ug_m3 is not null then 1 else 0 end) as is_ever_measured
    from spoken
    group by station_id, component
),

spine as (
    select
        components.source_id,
        components.station_id,
        components.station_name,
        components.component,
        components.averaging,
        components.is_ever_measured,
        dates.date,
        numbers.series_number as hour_of_day
    from components
    inner join stations on components.station_id = stations.station_id
    inner join {{ ref('dim_date') }} as dates on dates.date between stations.first_date and stations.last_date
    cross join {{ number_series(24) }} as numbers
)

select
    coalesce(spoken.source_id, spine.source_id) as source_id,
    spine.station_id,
    spine.station_name,
    spine.component,
    coalesce(spoken.averaging, spine.averaging) as averaging,
    spine.date,
    cast(spine.hour_of_day as integer) as hour_of_day,
    spoken.value_ug_m3,
    coalesce(spoken.is_contradicted, false) as is_contradicted,
    spine.is_ever_measured = 1 as is_ever_measured
from spine
left join spoken
    on
        spine.station_id = spoken.station_id
        and spine.component = spoken.component
        and spine.date = spoken.date
        and spine.hour_of_day = spoken.hour_of_day
