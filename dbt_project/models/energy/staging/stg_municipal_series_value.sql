select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.ags,
    staged.area_label,
    staged.dataset,
    staged.institution,
    staged.topic_code,
    staged.series,
    staged.period,
    staged.period_start_date,
    staged.value,
    staged.unit,
    staged.value_mark
from {{ staged('municipal_series_value') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
