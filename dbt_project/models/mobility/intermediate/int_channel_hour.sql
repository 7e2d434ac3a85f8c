-- One row per channel and hour in which the publisher's files have lines for it, with what those lines say of the
-- channel. Berlin is whole hours from UTC, so an hour of UTC is an hour of local time. A snapshot tells an interval
-- once; only hours that several snapshots tell, or in several interval lengths, are taken apart: of the shortest
-- intervals each counts once, a value before a blank, the larger value before the smaller, and where snapshots label
-- the channel differently, the fuller one speaks for the hour.
with

hours as (
    select
        source_id,
        site_id,
        channel_id,
        {{ hour_of('interval_start_at') }} as hour_at,
        min(cast(interval_start_local as date)) as date,
        min(coalesce(channel_label, '')) as channel_label,
        min(channel_role) as channel_role,
        min(mode) as mode,
        min(coalesce(direction, 'unknown')) as direction,
        cast(sum(count) as bigint) as count,
        cast(count(count) as integer) as intervals_measured,
        min(interval_minutes) as interval_minutes,
        max(case when coalesce(trim(raw_status), '') not in ('', '0') then 1 else 0 end) as has_status,
        max(case when clock_change = 'merged' and count is not null then 1 else 0 end) as is_merged,
        case
            when
                -- Twelve digits tell a channel's snapshots apart, and are compared three times as fast as all 64.
                min(substr(snapshot_sha256, 1, 12)) <> max(substr(snapshot_sha256, 1, 12))
                or min(interval_minutes) <> max(interval_minutes)
                or count(*) > 60 / min(interval_minutes)
                then 1
            else 0
        end as is_repeated
    from {{ ref('stg_count_reading') }}
    -- Whole days have a model of their own.
    where interval_minutes <= 60
    group by source_id, site_id, channel_id, {{ hour_of('interval_start_at') }}
),

repeated_readings as (
    select
        readings.source_id,
        readings.site_id,
        readings.channel_id,
        readings.snapshot_sha256,
        coalesce(readings.channel_label, '') as channel_label,
        readings.channel_role,
        readings.mode,
        coalesce(readings.direction, 'unknown') as direction,
        readings.interval_start_at,
        readings.count,
        readings.raw_status,
        readings.clock_change,
        hours.hour_at,
        hours.date,
        hours.interval_minutes
    from {{ ref('stg_count_reading') }} as readings
    inner join hours
        on
            readings.source_id = hours.source_id
            and readings.site_id = hours.site_id
            and readings.channel_id = hours.channel_id
            and {{ hour_of('readings.interval_start_at') }} = hours.hour_at
            and readings.interval_minutes = hours.interval_minutes
    where hours.is_repeated = 1
),

labels as (
    select
        source_id,
        site_id,
        channel_id,
        hour_at,
        channel_label,
        channel_role,
        mode,
        direction
    from repeated_readings
    group by source_id, site_id, channel_id, hour_at, snapshot_sha256, channel_label, channel_role, mode, direction
    qualify row_number() over (
        partition by source_id, site_id, channel_id, hour_at
        order by count(count) desc, channel_role asc, mode asc, direction asc, channel_label asc, snapshot_sha256 asc
    ) = 1
),

intervals as (
    select
        source_id,
        site_id,
        channel_id,
        hour_at,
        interval_start_at,
        min(date) as date,
        min(interval_minutes) as interval_minutes,
        max(count) as count,
        max(case when coalesce(trim(raw_status), '') not in ('', '0') then 1 else 0 end) as has_status,
        max(case when clock_change = 'merged' and count is not null then 1 else 0 end) as is_merged
    from repeated_readings
    group by source_id, site_id, channel_id, hour_at, interval_start_at
),

repeated_hours as (
    select
        intervals.source_id,
        intervals.site_id,
        intervals.channel_id,
        intervals.hour_at,
        min(intervals.date) as date,
        min(labels.channel_label) as channel_label,
        min(labels.channel_role) as channel_role,
        min(labels.mode) as mode,
        min(labels.direction) as direction,
        cast(sum(intervals.count) as bigint) as count,
        cast(count(intervals.count) as integer) as intervals_measured,
        min(intervals.interval_minutes) as interval_minutes,
        max(intervals.has_status) as has_status,
        max(intervals.is_merged) as is_merged
    from intervals
    inner join labels
        on
            intervals.source_id = labels.source_id
            and intervals.site_id = labels.site_id
            and intervals.channel_id = labels.channel_id
            and intervals.hour_at = labels.hour_at
    group by intervals.source_id, intervals.site_id, intervals.channel_id, intervals.hour_at
),

all_hours as (
    select
        source_id,
        site_id,
        channel_id,
        hour_at,
        date,
        channel_label,
        channel_role,
        mode,
        direction,
        count,
        intervals_measured,
        interval_minutes,
        has_status,
        is_merged
    from hours
    where is_repeated = 0
    union all
    select
        source_id,
        site_id,
        channel_id,
        hour_at,
        date,
        channel_label,
        channel_role,
        mode,
        direction,
        count,
        intervals_measured,
        interval_minutes,
        has_status,
        is_merged
    from repeated_hours
)

select
    source_id,
    site_id,
    channel_id,
    channel_label,
    channel_role,
    mode,
    direction,
    hour_at,
    coalesce(date, cast({{ instant_to_local('hour_at') }} as date)) as date,
    count,
    intervals_measured,
    cast(60 / interval_minutes as integer) as intervals_expected,
    has_status = 1 as has_status,
    is_merged = 1 as is_merged
from all_hours
