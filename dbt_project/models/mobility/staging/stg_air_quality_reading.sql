select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.station_id,
    staged.station_name,
    staged.component,
    staged.averaging,
    staged.interval_start_at,
    staged.interval_minutes,
    staged.value_ug_m3,
    staged.value_mark
from {{ staged('air_quality_reading') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
