-- What was reported per site, mode, direction and day where files tell whole days: every day from a channel's first
-- value to the last line, to the day before as_of where the publisher still lists the site. `both` is the sum channel
-- where it has a value, else the parts, never the two together. `marks` adds up as in int_count_hour: 1 status, 4
-- scaled, 8 flagged, 16 dropped, 32 direction turned round and not declared.
with

listed as (
    select distinct site_id
    from {{ ref('stg_count_site') }}
),

windows as (
    select
        days.site_id,
        case
            when min(listed.site_id) is not null
                then greatest(max(days.date), cast({{ as_of_date() }} - interval 1 day as date))
            else max(days.date)
        end as last_date
    from {{ ref('int_channel_whole_day') }} as days
    left join listed on days.site_id = listed.site_id
    group by days.site_id
),

channels as (
    select
        versions.source_id,
        versions.site_id,
        versions.channel_id,
        versions.mode,
        versions.channel_role,
        versions.direction,
        versions.is_doubted,
        greatest(versions.valid_from, versions.first_value_date) as first_date,
        least(
            coalesce(versions.valid_to, cast('9999-12-31' as date)),
            case when versions.retired_at is not null then versions.last_value_date else windows.last_date end
        ) as last_date
    from {{ ref('int_channel_version') }} as versions
    inner join windows on versions.site_id = windows.site_id
    where
        versions.tells_whole_days
        and versions.first_value_date is not null
),

channel_days as (
    select
        channels.site_id,
        channels.mode,
        channels.channel_role,
        channels.direction,
        dates.date,
        told.count,
        case
            when corrections.action = 'scale' then cast(round(told.count * corrections.factor) as bigint)
            else told.count
        end as count_corrected,
        -- Ghosts are not waited for.
        case when channels.channel_role <> 'ghost' then 1 else 0 end as is_waited_for,
        case when channels.channel_role <> 'ghost' and told.count is not null then 1 else 0 end as is_measured,
        case when told.has_status then 1 else 0 end
        + case corrections.action when 'scale' then 4 when 'flag' then 8 when 'drop' then 16 else 0 end
        + case when channels.is_doubted and channels.channel_role = 'part' then 32 else 0 end as marks
    from channels
    inner join {{ ref('int_counting_date') }} as dates
        on
            channels.first_date <= dates.date
            and channels.last_date >= dates.date
    left join {{ ref('int_channel_whole_day') }} as told
        on
            channels.source_id = told.source_id
            and channels.site_id = told.site_id
            and channels.channel_id = told.channel_id
            and dates.date = told.date
    left join {{ ref('int_silent_source') }} as silent
        on
            channels.source_id = silent.source_id
            and channels.site_id = silent.site_id
            and channels.mode = silent.mode
            and dates.date = silent.date
    left join {{ ref('int_corrected_channel') }} as corrections
        on
            channels.source_id = corrections.source_id
            and channels.site_id = corrections.site_id
            and channels.channel_id = corrections.channel_id
            and told.day_at >= corrections.first_at
            and told.day_at < corrections.until_at
    where silent.site_id is null
),

-- The sum channel, the parts together, and each direction.
slots as (
    select
        site_id,
        mode,
        'both' as direction,
        date,
        1 as place,
        count,
        count_corrected,
        is_waited_for,
        is_measured,
        marks
    from channel_days
    where channel_role = 'sum'
    union all
    select
        site_id,
        mode,
        'both' as direction,
        date,
        2 as place,
        count,
        count_corrected,
        is_waited_for,
        is_measured,
        -- Added up, the directions are right, whichever of them is which.
        marks & 31 as marks
    from channel_days
    where channel_role <> 'sum'
    union all
    select
        site_id,
        mode,
        direction,
        date,
        1 as place,
        count,
        count_corrected,
        is_waited_for,
        is_measured,
        marks
    from channel_days
    where
        channel_role = 'part'
        and direction in ('in', 'out', 'unknown')
),

days as (
    select
        site_id,
        mode,
        direction,
        date,
        place,
        cast(sum(count) as bigint) as count,
        cast(sum(count_corrected) as bigint) as count_corrected,
        cast(sum(is_waited_for) as integer) as channels_expected,
        cast(sum(is_measured) as integer) as channels_measured,
        cast(bit_or(marks) as integer) as marks
    from slots
    group by site_id, mode, direction, date, place
    qualify row_number() over (
        partition by site_id, mode, direction, date
        order by
            case when sum(count) is null then 1 else 0 end asc,
            place asc
    ) = 1
)

select
    site_id,
    mode,
    direction,
    date,
    count,
    count_corrected,
    channels_expected,
    channels_measured,
    marks,
    coalesce(count is not null and channels_measured >= channels_expected and marks & 25 = 0, false) as is_sound
from days
where channels_expected > 0
