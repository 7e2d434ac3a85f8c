-- Every hour that is not simply measured, with the one reason that weighs most. Missing hours tell apart the month of
-- which nothing came, the month's last day that was taken before it was over, and any other gap.
with

doubts as (
    select
        hours.site_id,
        hours.mode,
        hours.direction,
        hours.hour_at,
        hours.date,
        hours.hour_of_week,
        hours.season,
        case
            when hours.count is null then 'gap'
            when hours.marks & 16 > 0 then 'declared_drop'
            when hours.marks & 1 > 0 then 'sensor_status'
            when hours.intervals_measured < hours.intervals_expected then 'part_missing'
            when hours.marks & 8 > 0 then 'declared_flag'
            when hours.marks & 32 > 0 then 'direction_swapped'
            when runs.code is not null then runs.code
            when spikes.hour_at is not null then 'spike'
            when hours.marks & 4 > 0 then 'declared_scale'
            when hours.marks & 2 > 0 then 'clock_change'
        end as code
    from {{ ref('int_count_hour') }} as hours
    left join {{ ref('int_value_run') }} as runs
        on
            hours.site_id = runs.site_id
            and hours.mode = runs.mode
            and hours.direction = runs.direction
            and hours.hour_at >= runs.first_at
            and hours.hour_at < runs.until_at
    left join {{ ref('int_hour_spike') }} as spikes
        on
            hours.site_id = spikes.site_id
            and hours.mode = spikes.mode
            and hours.direction = spikes.direction
            and hours.hour_at = spikes.hour_at
    where not hours.is_sound or hours.marks > 0 or runs.code is not null or spikes.hour_at is not null
),

months as (
    select
        month,
        count(*) as hours,
        max(date) as last_date,
        max(hour_at) as last_hour_at
    from {{ ref('int_hour') }}
    group by month
),

gaps as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        date,
        cast(date_trunc('month', date) as date) as month,
        {{ hours_between("cast('2000-01-01 00:00:00+00:00' as timestamptz)", 'hour_at') }}
        - row_number() over (
            partition by site_id, mode, direction, date_trunc('month', date)
            order by hour_at asc
        ) as island,
        count(*) over (partition by site_id, mode, direction, date_trunc('month', date)) as month_hours
    from doubts
    where code = 'gap'
),

bounded as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        month,
        date,
        month_hours,
        min(hour_at) over (partition by site_id, mode, direction, month, island) as first_at,
        min(date) over (partition by site_id, mode, direction, month, island) as first_date,
        max(hour_at) over (partition by site_id, mode, direction, month, island) as last_at
    from gaps
),

causes as (
    select
        bounded.site_id,
        bounded.mode,
        bounded.direction,
        bounded.hour_at,
        case
            when bounded.month_hours = months.hours then 'month_missing'
            when bounded.last_at = months.last_hour_at and bounded.first_date = months.last_date then 'last_day_cut'
            else 'gap'
        end as code
    from bounded
    inner join months on bounded.month = months.month
)

select
    doubts.site_id,
    doubts.mode,
    doubts.direction,
    doubts.hour_at,
    doubts.date,
    doubts.hour_of_week,
    doubts.season,
    coalesce(causes.code, doubts.code) as code,
    case
        when doubts.code = 'gap' then 'missing'
        when doubts.code in ('declared_scale', 'clock_change') then 'corrected'
        else 'unreliable'
    end as value_status
from doubts
left join causes
    on
        doubts.site_id = causes.site_id
        and doubts.mode = causes.mode
        and doubts.direction = causes.direction
        and doubts.hour_at = causes.hour_at
where doubts.code is not null
