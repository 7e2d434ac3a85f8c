select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.table_code,
    staged.title,
    staged.statistic_code,
    staged.statistic_label,
    staged.first_period,
    staged.last_period,
    staged.variables,
    staged.updated_local
from {{ staged('statistic_table') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
