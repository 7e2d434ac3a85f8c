-- An id that two entries have counts once, and says how often it was told: two municipalities may have chosen the same.
select
    goal_id,
    source_id,
    area_id,
    indicator_id,
    target_value,
    target_date,
    baseline,
    baseline_date,
    adopted_by,
    source,
    cast(count(*) over (partition by goal_id) as integer) as told_times
from {{ ref('stg_goal') }}
qualify row_number() over (
    partition by goal_id
    order by source_id asc, snapshot_sha256 asc, record_number asc
) = 1
