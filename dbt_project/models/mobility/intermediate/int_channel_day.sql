-- What the files say of a channel and its counts day by day: small enough to look for what changes and disagrees.
select
    source_id,
    site_id,
    channel_id,
    date,
    channel_label,
    channel_role,
    mode,
    direction,
    min(hour_at) as first_hour_at,
    -- A merged reading reaches into the second pass of the repeated hour.
    max(case when is_merged then hour_at + interval 1 hour else hour_at end) as last_hour_at,
    min(case when count is not null then hour_at end) as first_value_at,
    max(case when count is not null then hour_at end) as last_value_at,
    cast(sum(count) as bigint) as count,
    cast(sum(intervals_measured) as integer) as intervals_measured,
    cast(sum(intervals_expected) as integer) as intervals_expected,
    max(intervals_expected) as intervals_per_hour
from {{ ref('int_channel_hour') }}
group by source_id, site_id, channel_id, date, channel_label, channel_role, mode, direction
