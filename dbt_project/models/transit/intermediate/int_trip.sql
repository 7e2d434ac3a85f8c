-- A trip with what tells it from others: its line, length, ends and end times. The first departure is also the zero of
-- a trip that `frequencies` repeats.
with

routes as (
    select
        source_id,
        snapshot_sha256,
        route_id,
        nullif(trim(route_short_name), '') as route_short_name,
        nullif(trim(route_long_name), '') as route_long_name
    from {{ ref('stg_gtfs_routes') }}
    qualify row_number() over (partition by source_id, snapshot_sha256, route_id order by record_number asc) = 1
),

trips as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        route_id,
        service_id,
        shape_id
    from {{ ref('stg_gtfs_trips') }}
    qualify row_number() over (partition by source_id, snapshot_sha256, trip_id order by record_number asc) = 1
),

stop_times as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        stop_id,
        stop_sequence,
        arrival_s,
        departure_s
    from {{ ref('stg_gtfs_stop_times') }}
),

ends as (
    select
        source_id,
        snapshot_sha256,
        trip_id,
        count(*) as stop_times,
        min(stop_sequence) as first_sequence,
        max(stop_sequence) as last_sequence
    from stop_times
    group by source_id, snapshot_sha256, trip_id
),

stops as (
    select
        source_id,
        stop_id,
        merged_stop_id
    from {{ ref('int_stop_merge') }}
),

named as (
    select
        ends.source_id,
        ends.snapshot_sha256,
        ends.trip_id,
        ends.stop_times,
        ends.last_sequence,
        min(
            case
                when stop_times.stop_sequence = ends.first_sequence
                    then coalesce(stop_times.departure_s, stop_times.arrival_s)
            end
        ) as first_departure_s,
        max(
            case
                when stop_times.stop_sequence = ends.last_sequence
                    then coalesce(stop_times.arrival_s, stop_times.departure_s)
            end
        ) as last_arrival_s,
        min(
            case when stop_times.stop_sequence = ends.first_sequence then stops.merged_stop_id end
        ) as first_merged_stop_id,
        min(
            case when stop_times.stop_sequence = ends.last_sequence then stops.merged_stop_id end
        ) as last_merged_stop_id
    from ends
    inner join stop_times
        on
            ends.source_id = stop_times.source_id
            and ends.snapshot_sha256 = stop_times.snapshot_sha256
            and ends.trip_id = stop_times.trip_id
            and stop_times.stop_sequence in (ends.first_sequence, ends.last_sequence)
    left join stops
        on
            stop_times.source_id = stops.source_id
            and stop_times.stop_id = stops.stop_id
    group by ends.source_id, ends.snapshot_sha256, ends.trip_id, ends.stop_times, ends.last_sequence
)

select
    trips.source_id,
    trips.snapshot_sha256,
    trips.trip_id,
    trips.route_id,
    trips.service_id,
    replace(lower(coalesce(routes.route_short_name, '')), ' ', '') as line_key,
    coalesce(routes.route_short_name, routes.route_long_name, trips.route_id) as route_name,
    named.stop_times,
    named.last_sequence,
    named.first_departure_s,
    named.last_arrival_s,
    named.first_merged_stop_id,
    named.last_merged_stop_id,
    trips.shape_id
from trips
inner join named
    on
        trips.source_id = named.source_id
        and trips.snapshot_sha256 = named.snapshot_sha256
        and trips.trip_id = named.trip_id
left join routes
    on
        trips.source_id = routes.source_id
        and trips.snapshot_sha256 = routes.snapshot_sha256
        and trips.route_id = routes.route_id
