select
    staged.source_id,
    staged.snapshot_sha256,
    staged.entity,
    staged.entity_id,
    staged.longitude,
    staged.latitude,
    staged.ags,
    staged.stated_ags
from {{ staged('located_point') }} as staged
where exists (
    select 1
    from {{ ref('stg_snapshot_key') }} as in_force
    where
        in_force.source_id = staged.source_id
        and in_force.snapshot_sha256 = staged.snapshot_sha256
)
