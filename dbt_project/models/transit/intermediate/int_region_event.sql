-- Stop events in the region, per speaking run.
with

stops as (
    select
        source_id,
        stop_id,
        ags,
        merged_stop_id
    from {{ ref('dim_stop') }}
    where ags is not null
)

select
    events.source_id,
    events.snapshot_sha256,
    runs.service_id,
    runs.service_date,
    runs.route_name,
    stops.ags,
    events.stop_id,
    stops.merged_stop_id,
    events.is_departure,
    case when events.is_departure then events.departure_s + runs.shift_s end as departure_s
from {{ ref('int_stop_event') }} as events
inner join stops
    on
        events.source_id = stops.source_id
        and events.stop_id = stops.stop_id
inner join {{ ref('int_speaking_run') }} as runs
    on
        events.source_id = runs.source_id
        and events.snapshot_sha256 = runs.snapshot_sha256
        and events.trip_id = runs.trip_id
