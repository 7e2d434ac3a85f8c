select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.facility_id,
    staged.kind,
    staged.category,
    staged.name,
    staged.ags,
    staged.district,
    staged.address,
    staged.operator,
    staged.capacity,
    staged.capacity_unit,
    staged.is_public,
    staged.longitude,
    staged.latitude
from {{ staged('facility') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
