-- The tables that sources speak of in mart_statistic, as their hosts describe them. A description that two resources
-- tell counts once: the one changed last.
select
    source_id,
    table_code,
    title,
    statistic_code,
    statistic_label,
    variables,
    first_period,
    last_period,
    updated_local
from {{ ref('stg_statistic_table') }}
qualify row_number() over (
    partition by source_id, table_code
    order by updated_local desc nulls last, snapshot_sha256 asc
) = 1
