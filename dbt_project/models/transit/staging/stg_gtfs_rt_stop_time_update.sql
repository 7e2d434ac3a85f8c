select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.feed_at,
    staged.measured_at,
    staged.trip_update_number,
    staged.trip_id,
    staged.route_id,
    staged.direction_id,
    staged.start_date,
    staged.start_time_s,
    staged.trip_schedule_relationship,
    staged.stop_sequence,
    staged.stop_id,
    staged.schedule_relationship,
    staged.arrival_delay_s,
    staged.arrival_at,
    staged.departure_delay_s,
    staged.departure_at
from {{ staged('gtfs_rt_stop_time_update') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
