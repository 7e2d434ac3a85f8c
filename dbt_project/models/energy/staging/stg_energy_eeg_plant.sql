select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.eeg_plant_id,
    staged.technology,
    staged.commissioned_date,
    staged.installed_capacity_kw,
    staged.status_id,
    staged.is_tendered,
    staged.is_tenant_power,
    staged.unit_ids,
    staged.registered_date,
    staged.updated_at
from {{ staged('energy_eeg_plant') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
