select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.accident_id,
    staged.year,
    staged.month,
    staged.hour,
    staged.weekday,
    staged.severity,
    staged.kind_id,
    staged.type_id,
    staged.light_id,
    staged.road_condition_id,
    staged.with_bicycle,
    staged.with_car,
    staged.with_pedestrian,
    staged.with_motorcycle,
    staged.with_goods_vehicle,
    staged.with_other,
    staged.longitude,
    staged.latitude,
    staged.ags
from {{ staged('accident') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
