-- One row per channel and hour in which the publisher's files have lines for it. Berlin is whole hours from UTC, so an
-- hour of UTC is an hour of local time. An interval that two files tell counts once: a value goes before a blank, the
-- larger value before the smaller; where they label the channel differently, the fuller label speaks for the hour.
with

readings as (
    select
        source_id,
        site_id,
        channel_id,
        channel_role,
        mode,
        direction,
        interval_start_at,
        min(interval_minutes) as interval_minutes,
        max(count) as count,
        max(case when coalesce(trim(raw_status), '') not in ('', '0') then 1 else 0 end) as has_status,
        max(case when clock_change = 'merged' and count is not null then 1 else 0 end) as is_merged
    from {{ ref('stg_count_reading') }}
    group by source_id, site_id, channel_id, channel_role, mode, direction, interval_start_at
),

hours as (
    select
        source_id,
        site_id,
        channel_id,
        channel_role,
        mode,
        coalesce(direction, 'unknown') as direction,
        date_trunc('hour', interval_start_at) as hour_at,
        cast(sum(count) as bigint) as count,
        cast(count(count) as integer) as intervals_measured,
        cast(60 / min(interval_minutes) as integer) as intervals_expected,
        max(has_status) = 1 as has_status,
        max(is_merged) = 1 as is_merged
    from readings
    group by source_id, site_id, channel_id, channel_role, mode, direction, date_trunc('hour', interval_start_at)
)

select
    source_id,
    site_id,
    channel_id,
    channel_role,
    mode,
    direction,
    hour_at,
    count,
    intervals_measured,
    intervals_expected,
    has_status,
    is_merged
from hours
qualify row_number() over (
    partition by site_id, channel_id, hour_at
    order by intervals_measured desc, source_id asc, channel_role asc, mode asc, direction asc
) = 1
