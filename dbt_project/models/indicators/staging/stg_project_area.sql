select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.project_id,
    staged.area_id
from {{ staged('project_area') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
