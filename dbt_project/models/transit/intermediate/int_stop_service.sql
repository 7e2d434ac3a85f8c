-- What a service brings to a stop on each of its dates. Visits are stop_times as listed; departures are those of every
-- run of the trip.
with

events as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        service_id,
        stop_id,
        departure_s,
        is_departure
    from {{ ref('int_stop_event') }}
),

visits as (
    select
        source_id,
        snapshot_sha256,
        service_id,
        stop_id,
        count(*) as visits
    from events
    group by source_id, snapshot_sha256, service_id, stop_id
),

departures as (
    select
        events.source_id,
        events.snapshot_sha256,
        events.service_id,
        events.stop_id,
        count(*) as departures,
        min(events.departure_s + runs.shift_s) as first_departure_s,
        max(events.departure_s + runs.shift_s) as last_departure_s
    from events
    inner join {{ ref('int_trip_run') }} as runs
        on
            events.source_id = runs.source_id
            and events.snapshot_sha256 = runs.snapshot_sha256
            and events.trip_id = runs.trip_id
    where events.is_departure
    group by events.source_id, events.snapshot_sha256, events.service_id, events.stop_id
)

select
    visits.source_id,
    visits.snapshot_sha256,
    visits.service_id,
    visits.stop_id,
    visits.visits,
    coalesce(departures.departures, 0) as departures,
    departures.first_departure_s,
    departures.last_departure_s
from visits
left join departures
    on
        visits.source_id = departures.source_id
        and visits.snapshot_sha256 = departures.snapshot_sha256
        and visits.service_id = departures.service_id
        and visits.stop_id = departures.stop_id
