select
    staged.source_id,
    staged.snapshot_sha256,
    staged.entity,
    staged.entity_id,
    staged.stop_source_id,
    staged.stop_snapshot_sha256,
    staged.stop_id,
    staged.distance_m
from {{ staged('stop_nearby') }} as staged
