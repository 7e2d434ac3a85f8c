-- Where several sources tell of a site, one speaks per day and mode: of those with a value the one of the lowest
-- `priority`, by name where two are equal; of days without any value the same among those with lines. The others are
-- silent.
with

several as (
    select site_id
    from {{ ref('int_channel_day') }}
    group by site_id
    having min(source_id) <> max(source_id)
),

told as (
    select
        days.source_id,
        days.site_id,
        days.mode,
        days.date,
        sum(case when days.channel_role = 'sum' then days.count end) as sum_count,
        sum(case when days.channel_role <> 'sum' then days.count end) as parts_count,
        sum(days.intervals_measured) as intervals_measured,
        min(catalogue.priority) as priority
    from {{ ref('int_channel_day') }} as days
    inner join several on days.site_id = several.site_id
    left join {{ ref('stg_source_catalogue') }} as catalogue on days.source_id = catalogue.source_id
    group by days.source_id, days.site_id, days.mode, days.date
),

ranked as (
    select
        source_id,
        site_id,
        mode,
        date,
        coalesce(sum_count, parts_count) as count,
        intervals_measured > 0 as has_value,
        row_number() over (
            partition by site_id, mode, date
            order by
                case when intervals_measured > 0 then 0 else 1 end asc,
                coalesce(priority, 100) asc,
                source_id asc
        ) as place
    from told
)

select
    silent.source_id,
    silent.site_id,
    silent.mode,
    silent.date,
    speaking.source_id as speaking_source_id,
    cast(speaking.count as bigint) as speaking_count,
    cast(case when silent.has_value then silent.count end as bigint) as count
from ranked as silent
inner join ranked as speaking
    on
        silent.site_id = speaking.site_id
        and silent.mode = speaking.mode
        and silent.date = speaking.date
        and speaking.place = 1
where silent.place > 1
