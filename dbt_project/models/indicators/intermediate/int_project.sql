-- An id that two entries have counts once, and says how often it was told: two municipalities may have chosen the same.
select
    project_id,
    source_id,
    snapshot_sha256,
    field_of_action,
    area_ids,
    title,
    status,
    start_date,
    end_date,
    budget_eur,
    indicator_ids,
    outcome,
    cast(count(*) over (partition by project_id) as integer) as told_times
from {{ ref('stg_project') }}
qualify row_number() over (
    partition by project_id
    order by source_id asc, snapshot_sha256 asc, record_number asc
) = 1
