select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.grid_connection_id,
    staged.location_id,
    staged.grid_id,
    staged.voltage_level_id,
    staged.connection_capacity_kw,
    staged.net_bottleneck_capacity_kw,
    staged.updated_at
from {{ staged('energy_grid_connection') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
