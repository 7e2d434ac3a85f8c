select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.stop_id,
    staged.stop_code,
    staged.stop_name,
    staged.stop_lat,
    staged.stop_lon,
    staged.location_type,
    staged.parent_station,
    staged.wheelchair_boarding,
    staged.platform_code
from {{ staged('gtfs_stops') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
