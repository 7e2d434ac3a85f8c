-- The calls of speaking runs at stops in the region on the dates that stand for the day types.
with

stops as (
    select
        source_id,
        stop_id,
        ags,
        merged_stop_id
    from {{ ref('dim_stop') }}
    where ags is not null
),

runs as (
    select
        types.day_type,
        types.service_date,
        speaking.source_id,
        speaking.snapshot_sha256,
        speaking.trip_id,
        speaking.shift_s,
        speaking.route_name
    from {{ ref('int_speaking_run') }} as speaking
    inner join {{ ref('int_service_date') }} as dates
        on
            speaking.source_id = dates.source_id
            and speaking.snapshot_sha256 = dates.snapshot_sha256
            and speaking.service_id = dates.service_id
            and dates.service_date = coalesce(speaking.service_date, dates.service_date)
    inner join {{ ref('int_day_type_date') }} as types on dates.service_date = types.service_date
)

select
    runs.day_type,
    runs.service_date,
    runs.source_id,
    runs.snapshot_sha256,
    runs.trip_id,
    runs.shift_s,
    runs.route_name,
    stops.ags,
    events.stop_id,
    stops.merged_stop_id,
    events.stop_sequence,
    case when events.is_departure then events.departure_s + runs.shift_s end as departure_s,
    case when events.is_arrival then events.arrival_s + runs.shift_s end as arrival_s
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
