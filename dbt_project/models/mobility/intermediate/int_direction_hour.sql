-- Channels added up per direction and hour, for as long as each channel lives (from its first to its last month with a
-- value): ghost channels, blank throughout, are left out so that they make nothing incomplete. `both` is the sum
-- channel where it has a value in the hour, else the parts, never the two together. An hour is measured as far as its
-- least measured channel.
with

hours as (
    select
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
        is_merged,
        date_trunc('month', hour_at) as month_at
    from {{ ref('int_channel_hour') }}
),

lives as (
    select
        site_id,
        channel_id,
        min(month_at) as first_month_at,
        max(month_at) as last_month_at
    from hours
    where count is not null
    group by site_id, channel_id
),

living as (
    select
        hours.site_id,
        hours.channel_role,
        hours.mode,
        hours.direction,
        hours.hour_at,
        hours.count,
        hours.intervals_measured,
        hours.intervals_expected,
        hours.has_status,
        hours.is_merged
    from hours
    inner join lives
        on
            hours.site_id = lives.site_id
            and hours.channel_id = lives.channel_id
            and hours.month_at between lives.first_month_at and lives.last_month_at
),

roles as (
    select
        site_id,
        mode,
        channel_role,
        hour_at,
        sum(count) as count,
        min(intervals_measured) as intervals_measured,
        max(intervals_expected) as intervals_expected,
        max(case when has_status then 1 else 0 end) as has_status,
        max(case when is_merged then 1 else 0 end) as is_merged
    from living
    group by site_id, mode, channel_role, hour_at
),

both_directions as (
    select
        site_id,
        mode,
        'both' as direction,
        hour_at,
        count,
        intervals_measured,
        intervals_expected,
        has_status,
        is_merged
    from roles
    qualify row_number() over (
        partition by site_id, mode, hour_at
        order by
            case when count is null then 1 else 0 end asc,
            case when channel_role = 'sum' then 0 else 1 end asc
    ) = 1
),

each_direction as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        sum(count) as count,
        min(intervals_measured) as intervals_measured,
        max(intervals_expected) as intervals_expected,
        max(case when has_status then 1 else 0 end) as has_status,
        max(case when is_merged then 1 else 0 end) as is_merged
    from living
    where
        channel_role = 'part'
        and direction in ('in', 'out', 'unknown')
    group by site_id, mode, direction, hour_at
),

directions as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        count,
        intervals_measured,
        intervals_expected,
        has_status,
        is_merged
    from both_directions
    union all
    select
        site_id,
        mode,
        direction,
        hour_at,
        count,
        intervals_measured,
        intervals_expected,
        has_status,
        is_merged
    from each_direction
)

select
    site_id,
    mode,
    direction,
    hour_at,
    cast(count as bigint) as count,
    intervals_measured,
    intervals_expected,
    has_status = 1 as has_status,
    is_merged = 1 as is_merged
from directions
