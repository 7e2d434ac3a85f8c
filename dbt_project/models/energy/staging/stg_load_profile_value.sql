select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.profile,
    staged.month,
    staged.season,
    staged.day_type,
    staged.interval_start_minute,
    staged.interval_minutes,
    staged.value,
    staged.unit,
    staged.normalised_to_kwh
from {{ staged('load_profile_value') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
