select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.table_code,
    staged.statistic_code,
    staged.statistic_label,
    staged.time_code,
    staged.period,
    staged.period_start_date,
    staged.period_end_date,
    staged.area_variable_code,
    staged.area_code,
    staged.area_label,
    staged.attribute_codes,
    staged.attribute_labels,
    staged.value,
    staged.value_mark,
    staged.value_unit,
    staged.value_variable_code,
    staged.value_variable_label
from {{ staged('statistic_value') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
