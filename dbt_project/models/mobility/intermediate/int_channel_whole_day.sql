-- One row per channel and local day that the publisher's files tell as a whole, hours unknown. Where snapshots tell a
-- day twice, a value goes before a blank, the larger one before the smaller.
select
    source_id,
    site_id,
    channel_id,
    coalesce(channel_label, '') as channel_label,
    channel_role,
    mode,
    coalesce(direction, 'unknown') as direction,
    coalesce(cast(interval_start_local as date), cast({{ instant_to_local('interval_start_at') }} as date)) as date,
    interval_start_at as day_at,
    count,
    coalesce(trim(raw_status), '') not in ('', '0') as has_status
from {{ ref('stg_count_reading') }}
where interval_minutes = 1440
qualify row_number() over (
    partition by
        source_id, site_id, channel_id,
        coalesce(cast(interval_start_local as date), cast({{ instant_to_local('interval_start_at') }} as date))
    order by
        case when count is null then 1 else 0 end asc,
        count desc,
        snapshot_sha256 asc,
        record_number asc
) = 1
