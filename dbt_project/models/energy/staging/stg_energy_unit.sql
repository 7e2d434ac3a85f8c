select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.unit_id,
    staged.technology,
    staged.energy_carrier_id,
    staged.status_id,
    staged.ags,
    staged.postal_code,
    staged.longitude,
    staged.latitude,
    staged.commissioned_date,
    staged.planned_date,
    staged.temporarily_shut_date,
    staged.resumed_date,
    staged.shut_date,
    staged.gross_capacity_kw,
    staged.net_capacity_kw,
    staged.siting_id,
    staged.registered_date,
    staged.updated_at,
    staged.export_member
from {{ staged('energy_unit') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
