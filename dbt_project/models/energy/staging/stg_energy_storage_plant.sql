select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.storage_plant_id,
    staged.usable_capacity_kwh,
    staged.status_id,
    staged.unit_ids,
    staged.registered_date,
    staged.updated_at
from {{ staged('energy_storage_plant') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
