select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.paper_id,
    staged.ags,
    staged.reference,
    staged.paper_type,
    staged.paper_date,
    staged.created_at,
    staged.modified_at,
    staged.is_deleted
from {{ staged('council_paper') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
