select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.meeting_id,
    staged.ags,
    staged.meeting_state,
    staged.is_cancelled,
    staged.start_at,
    staged.end_at,
    staged.organization_ids,
    staged.agenda_items,
    staged.created_at,
    staged.modified_at,
    staged.is_deleted
from {{ staged('council_meeting') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
