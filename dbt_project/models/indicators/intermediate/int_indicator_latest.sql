-- The latest number of each indicator and area.
select
    indicator_id,
    area_id,
    level,
    period,
    period_date,
    value,
    value_status,
    unit
from {{ ref('int_indicator_value') }}
where value is not null
qualify row_number() over (
    partition by indicator_id, area_id
    order by period_date desc, period desc
) = 1
