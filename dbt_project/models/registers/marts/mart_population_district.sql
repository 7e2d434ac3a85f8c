select
    source_id,
    ags,
    area_id,
    district_name,
    is_sum,
    sex,
    age_group,
    age_from,
    age_to,
    period,
    year,
    cast(value as bigint) as population,
    value_status,
    reason,
    is_contradicted
from {{ ref('int_district_protected') }}
where subject = 'population'
