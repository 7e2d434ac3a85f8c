select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.project_id,
    staged.field_of_action,
    staged.area_ids,
    staged.title,
    staged.status,
    staged.start_date,
    staged.end_date,
    staged.budget_eur,
    staged.indicator_ids,
    staged.outcome
from {{ staged('project') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
