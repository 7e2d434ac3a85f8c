-- Departure: a stop_time that is not its trip's last and whose pickup_type is not 1 (design, section 4).
with

stop_times as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        trip_id,
        stop_id,
        stop_sequence,
        arrival_s,
        departure_s,
        pickup_type,
        drop_off_type
    from {{ ref('stg_gtfs_stop_times') }}
    where stop_id is not null
)

select
    stop_times.source_id,
    stop_times.snapshot_sha256,
    stop_times.record_number,
    stop_times.trip_id,
    trips.service_id,
    stop_times.stop_id,
    stop_times.stop_sequence,
    stop_times.arrival_s,
    stop_times.departure_s,
    stop_times.stop_sequence < trips.last_sequence and coalesce(stop_times.pickup_type, 0) <> 1 as is_departure,
    coalesce(stop_times.drop_off_type, 0) <> 1 as is_arrival
from stop_times
inner join {{ ref('int_trip') }} as trips
    on
        stop_times.source_id = trips.source_id
        and stop_times.snapshot_sha256 = trips.snapshot_sha256
        and stop_times.trip_id = trips.trip_id
