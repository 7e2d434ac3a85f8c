-- What each source says of each interval of each series, in one unit: MWh of the interval, EUR/MWh, MW installed. Of an
-- interval that two snapshots of a source tell a value goes before a blank, else the one first by hash speaks.
-- Run-of-river and reservoirs are hydro.
with

told as (
    select
        readings.source_id,
        case
            when readings.series in ('generation_hydro_run_of_river', 'generation_hydro_reservoir')
                then 'generation_hydro'
            else readings.series
        end as series,
        readings.region,
        readings.interval_start_at as start_at,
        readings.interval_minutes,
        cast(
            case
                when readings.unit = 'GW' then readings.value * 1000
                when readings.unit = 'MW' and readings.series not like 'capacity_%'
                    then readings.value * readings.interval_minutes / 60
                else readings.value
            end as decimal(18, 4)
        ) as value,
        case
            when readings.unit = 'GW' then 'MW'
            when readings.unit = 'MW' and readings.series not like 'capacity_%' then 'MWh'
            else readings.unit
        end as unit
    from {{ ref('stg_market_reading') }} as readings
    qualify row_number() over (
        partition by
            readings.source_id,
            readings.series,
            readings.region,
            readings.interval_start_at,
            readings.interval_minutes
        order by
            case when readings.value is null then 1 else 0 end asc,
            readings.snapshot_sha256 asc,
            readings.record_number asc
    ) = 1
)

select
    told.source_id,
    catalogue.priority,
    told.series,
    told.region,
    told.start_at,
    told.interval_minutes,
    -- A sum of which a part is missing is missing.
    cast(case when count(told.value) = count(*) then sum(told.value) end as decimal(18, 4)) as value,
    told.unit
from told
inner join {{ ref('stg_source_catalogue') }} as catalogue on told.source_id = catalogue.source_id
group by
    told.source_id,
    catalogue.priority,
    told.series,
    told.region,
    told.start_at,
    told.interval_minutes,
    told.unit
