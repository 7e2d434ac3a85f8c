select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.trip_id,
    staged.stop_sequence,
    staged.stop_id,
    staged.arrival_s,
    staged.departure_s,
    staged.pickup_type,
    staged.drop_off_type
from {{ staged('gtfs_stop_times') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
