-- What the files say of a channel and its counts day by day: small enough to look for what changes and disagrees. Days
-- come from hours, or are told as a whole.
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
union all
select
    source_id,
    site_id,
    channel_id,
    date,
    channel_label,
    channel_role,
    mode,
    direction,
    day_at as first_hour_at,
    day_at as last_hour_at,
    case when count is not null then day_at end as first_value_at,
    case when count is not null then day_at end as last_value_at,
    cast(count as bigint) as count,
    case when count is not null then 1 else 0 end as intervals_measured,
    1 as intervals_expected,
    cast(null as integer) as intervals_per_hour
from {{ ref('int_channel_whole_day') }}
