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
    reason,
    territory_rule,
    is_count_of_persons
from {{ ref('int_statistic_today') }}
