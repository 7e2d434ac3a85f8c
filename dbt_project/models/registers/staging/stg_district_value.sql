select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.subject,
    staged.ags,
    staged.district_key,
    staged.district_name,
    staged.sex,
    staged.age_from,
    staged.age_to,
    staged.period,
    staged.value,
    staged.value_mark,
    staged.mark_status
from {{ staged('district_value') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
