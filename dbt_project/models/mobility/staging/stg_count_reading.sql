-- What is computed from readings is computed in batches of sites.
-- depends_on: {{ ref('int_site_batch') }}
select
    staged.source_id,
    staged.snapshot_sha256,
    staged.record_number,
    staged.site_id,
    staged.channel_id,
    staged.channel_label,
    staged.channel_role,
    staged.mode,
    staged.direction,
    staged.interval_start_local,
    staged.interval_start_at,
    staged.interval_minutes,
    staged.count,
    staged.raw_status,
    staged.clock_change
from {{ staged('count_reading') }} as staged
inner join {{ ref('stg_snapshot_key') }} as in_force
    on
        staged.source_id = in_force.source_id
        and staged.snapshot_sha256 = in_force.snapshot_sha256
        and staged.parse_key = in_force.parse_key
