-- Departures on the date that stands for a school day at the stops near cells, also at those outside the region: people
-- at its border walk there. Departures without a time count as well; a run that several sources tell counts once.
with

near_stops as (
    select distinct merged_stop_id
    from {{ ref('int_cell_stop') }}
),

stops as (
    select
        joined.source_id,
        joined.stop_id,
        joined.merged_stop_id
    from {{ ref('int_stop_merge') }} as joined
    inner join near_stops on joined.merged_stop_id = near_stops.merged_stop_id
),

runs as (
    select
        types.service_date,
        speaking.source_id,
        speaking.snapshot_sha256,
        speaking.trip_id
    from {{ ref('int_speaking_run') }} as speaking
    inner join {{ ref('int_service_date') }} as dates
        on
            speaking.source_id = dates.source_id
            and speaking.snapshot_sha256 = dates.snapshot_sha256
            and speaking.service_id = dates.service_id
            and dates.service_date = coalesce(speaking.service_date, dates.service_date)
    inner join {{ ref('int_day_type_date') }} as types on dates.service_date = types.service_date
    where types.day_type = 'school_day'
)

select
    stops.merged_stop_id,
    runs.service_date,
    count(*) as departures
from runs
inner join {{ ref('int_stop_event') }} as events
    on
        runs.source_id = events.source_id
        and runs.snapshot_sha256 = events.snapshot_sha256
        and runs.trip_id = events.trip_id
inner join stops
    on
        events.source_id = stops.source_id
        and events.stop_id = stops.stop_id
where events.is_departure
group by stops.merged_stop_id, runs.service_date
