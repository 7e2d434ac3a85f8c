-- Declared corrections and the sum that is reported in their time: of the sum channel where there is one, else of all
-- parts; of one channel where one is named. Where it is not the sum they were written for, the publisher has mended it
-- (or told something new), and they are no longer in force.
with

readings as (
    select
        source_id,
        site_id,
        channel_id,
        date,
        hour_at as begins_at,
        count
    from {{ ref('int_channel_hour') }}
    union all
    select
        source_id,
        site_id,
        channel_id,
        date,
        day_at as begins_at,
        count
    from {{ ref('int_channel_whole_day') }}
),

found as (
    select
        declared.source_id,
        declared.declaration,
        count(*) as readings,
        sum(readings.count) as count,
        sum(case when versions.channel_role = 'sum' then readings.count end) as sum_count,
        sum(case when versions.channel_role <> 'sum' then readings.count end) as parts_count
    from {{ ref('stg_count_correction') }} as declared
    inner join readings
        on
            declared.source_id = readings.source_id
            and declared.site_id = readings.site_id
            and (declared.channel_id = readings.channel_id or declared.channel_id is null)
            and declared.first_at <= readings.begins_at
            and declared.until_at > readings.begins_at
    inner join {{ ref('int_channel_version') }} as versions
        on
            readings.source_id = versions.source_id
            and readings.site_id = versions.site_id
            and readings.channel_id = versions.channel_id
            and readings.date >= versions.valid_from
            and readings.date <= coalesce(versions.valid_to, cast('9999-12-31' as date))
    group by declared.source_id, declared.declaration
)

select
    declared.source_id,
    declared.declaration,
    declared.site_id,
    declared.channel_id,
    declared.first_at,
    declared.until_at,
    declared.action,
    declared.factor,
    declared.reason,
    declared.provider,
    declared.expected_count,
    cast(
        case
            when found.readings is null then null
            when declared.channel_id is not null then coalesce(found.count, 0)
            else coalesce(found.sum_count, found.parts_count, 0)
        end as bigint
    ) as found_count,
    coalesce(
        case
            when declared.channel_id is not null then coalesce(found.count, 0)
            else coalesce(found.sum_count, found.parts_count, 0)
        end = declared.expected_count
        and found.readings > 0,
        false
    ) as is_in_force
from {{ ref('stg_count_correction') }} as declared
left join found
    on
        declared.source_id = found.source_id
        and declared.declaration = found.declaration
