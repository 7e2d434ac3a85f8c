select
    source_id,
    table_code,
    area_id,
    value_variable_code,
    attribute_codes,
    period,
    value,
    unit,
    value_status,
    value_mark,
    value_variable_label,
    attribute_labels,
    time_code,
    period_start_date,
    period_end_date
from {{ ref('int_statistic_value') }}
