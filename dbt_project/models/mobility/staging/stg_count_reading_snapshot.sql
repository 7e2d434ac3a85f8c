-- Grouped before it is looked up what is in force: readings are many, snapshots are few.
with

snapshots as (
    select
        source_id,
        snapshot_sha256,
        parse_key,
        site_id,
        count(*) as readings,
        max(interval_start_at) as last_interval_start_at
    from {{ staged('count_reading') }}
    group by source_id, snapshot_sha256, parse_key, site_id
)

select
    snapshots.source_id,
    snapshots.snapshot_sha256,
    snapshots.parse_key,
    snapshots.site_id,
    snapshots.readings,
    snapshots.last_interval_start_at
from snapshots
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        snapshots.source_id = in_force.source_id
        and snapshots.snapshot_sha256 = in_force.snapshot_sha256
        and snapshots.parse_key = in_force.parse_key
