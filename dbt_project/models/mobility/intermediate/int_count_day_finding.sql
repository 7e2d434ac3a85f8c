-- What is found day by day: hours that are not simply measured, sums that disagree with their parts, other modes in a
-- sum, two sources. Of a code that both directions together show, the single directions are not told again.
with

hours as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.date,
        hours.code,
        count(*) as amount,
        max(case when hours.direction = 'both' then 1 else 0 end) over (
            partition by hours.site_id, hours.mode, hours.date, hours.code
        ) as is_of_both
    from {{ ref('int_hour_doubt') }} as hours
    left join {{ ref('int_whole_day') }} as days
        on
            hours.site_id = days.site_id
            and hours.mode = days.mode
            and hours.direction = days.direction
            and hours.date = days.date
    where
        -- Told with the declaration and with the channel.
        hours.code not in ('declared_drop', 'declared_flag', 'declared_scale', 'direction_swapped')
        -- A day that is told as a whole is missed as a whole.
        and (hours.value_status <> 'missing' or days.site_id is null)
    group by hours.site_id, hours.mode, hours.direction, hours.date, hours.code
    union all
    select
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.code,
        dates.hours_in_day as amount,
        max(case when days.direction = 'both' then 1 else 0 end) over (
            partition by days.site_id, days.mode, days.date, days.code
        ) as is_of_both
    from {{ ref('int_whole_day_doubt') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    where days.code not in ('declared_drop', 'declared_flag', 'declared_scale', 'direction_swapped')
),

channel_days as (
    select
        days.source_id,
        days.site_id,
        days.date,
        versions.mode,
        versions.channel_role,
        days.count,
        days.intervals_measured,
        -- Living channels that are blank, or filled less than the sum, make sum and parts incomparable.
        case
            when versions.channel_role <> 'part' then 0
            when
                days.date >= versions.first_value_date
                and days.date <= coalesce(
                    cast({{ instant_to_local('versions.retired_at') }} as date), versions.last_value_date
                )
                then 1
            else 0
        end as is_living_part
    from {{ ref('int_channel_day') }} as days
    inner join {{ ref('int_channel_version') }} as versions
        on
            days.source_id = versions.source_id
            and days.site_id = versions.site_id
            and days.channel_id = versions.channel_id
            and days.date >= versions.valid_from
            and days.date <= coalesce(versions.valid_to, cast('9999-12-31' as date))
),

mode_days as (
    select
        source_id,
        site_id,
        date,
        mode,
        sum(case when channel_role = 'sum' then count end) as sum_count,
        max(case when channel_role = 'sum' then intervals_measured end) as sum_measured,
        sum(case when channel_role <> 'sum' then count end) as parts_count,
        min(case when is_living_part = 1 then intervals_measured end) as parts_measured
    from channel_days
    group by source_id, site_id, date, mode
),

-- The one sum of a site stands for channels of all modes, several for those of their own.
compared as (
    select
        source_id,
        site_id,
        date,
        mode,
        sum_count,
        sum_measured,
        parts_measured,
        parts_count as own_count,
        case
            when count(sum_count) over (partition by source_id, site_id, date) = 1
                then sum(parts_count) over (partition by source_id, site_id, date)
            else parts_count
        end as parts_count
    from mode_days
),

sums as (
    select
        source_id,
        site_id,
        date,
        mode,
        sum_count,
        parts_count,
        parts_count - coalesce(own_count, 0) as others_count,
        case
            when
                sum_measured = parts_measured
                and abs(sum_count - parts_count) > {{ var('sum_tolerance_share') }} * greatest(sum_count, parts_count)
                then 1
            else 0
        end as is_disagreement,
        case
            when
                parts_count > coalesce(own_count, 0)
                and abs(sum_count - parts_count) < abs(sum_count - coalesce(own_count, 0))
                then 1
            else 0
        end as has_others
    from compared
    where
        sum_count is not null
        and parts_count is not null
)

select
    cast(null as varchar) as source_id,
    site_id,
    mode,
    direction,
    date,
    code,
    cast(amount as double) as amount,
    cast(null as double) as reference_amount
from hours
where
    direction = 'both'
    or is_of_both = 0
union all
select
    source_id,
    site_id,
    mode,
    'both' as direction,
    date,
    'sum_disagrees' as code,
    cast(sum_count as double) as amount,
    cast(parts_count as double) as reference_amount
from sums
where is_disagreement = 1
union all
select
    source_id,
    site_id,
    mode,
    'both' as direction,
    date,
    'other_mode_in_sum' as code,
    cast(others_count as double) as amount,
    cast(sum_count as double) as reference_amount
from sums
where has_others = 1
union all
select
    source_id,
    site_id,
    mode,
    'both' as direction,
    date,
    'two_sources' as code,
    cast(count as double) as amount,
    cast(speaking_count as double) as reference_amount
from {{ ref('int_silent_source') }}
where
    count is not null
    and speaking_count is not null
