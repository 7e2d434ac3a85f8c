select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.operator,
    staged.postal_code,
    staged.place,
    staged.kreis_name,
    staged.longitude,
    staged.latitude,
    staged.commissioned_date,
    staged.power_kw,
    staged.device_type,
    staged.charging_points,
    staged.fast_points,
    staged.record_sha256
from {{ staged('charging_station') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
