select
    source_id,
    subject,
    ags,
    area_id,
    district_name,
    is_sum,
    sex,
    age_group,
    period,
    year,
    value,
    value_status,
    reason,
    is_contradicted
from {{ ref('int_district_protected') }}
where subject <> 'population'
