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

-- Months of which nothing came are known as a whole; runs of hours are looked for in the others alone.
empty_months as (
    select
        doubts.site_id,
        doubts.mode,
        doubts.direction,
        months.month
    from doubts
    inner join months on cast(date_trunc('month', doubts.date) as date) = months.month
    where doubts.code = 'gap'
    group by doubts.site_id, doubts.mode, doubts.direction, months.month, months.hours
    having count(*) = months.hours
),

monthly as (
    select
        doubts.site_id,
        doubts.mode,
        doubts.direction,
        doubts.hour_at,
        doubts.date,
        doubts.hour_of_week,
        doubts.season,
        case when empty_months.month is not null then 'month_missing' else doubts.code end as code,
        cast(date_trunc('month', doubts.date) as date) as month
    from doubts
    left join empty_months
        on
            doubts.site_id = empty_months.site_id
            and doubts.mode = empty_months.mode
            and doubts.direction = empty_months.direction
            and cast(date_trunc('month', doubts.date) as date) = empty_months.month
    where doubts.code is not null
),

gaps as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        date,
        month,
        {{ hours_between("cast('2000-01-01 00:00:00+00:00' as timestamptz)", 'hour_at') }}
        - row_number() over (
            partition by site_id, mode, direction
            order by hour_at asc
        ) as island
    from monthly
    where code = 'gap'
),

bounded as (
    select
        site_id,
        mode,
        direction,
        hour_at,
        month,
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
        'last_day_cut' as code
    from bounded
    inner join months
        on
            bounded.month = months.month
            and bounded.last_at = months.last_hour_at
            and bounded.first_date = months.last_date
)

select
    monthly.site_id,
    monthly.mode,
    monthly.direction,
    monthly.hour_at,
    monthly.date,
    monthly.hour_of_week,
    monthly.season,
    coalesce(causes.code, monthly.code) as code,
    case
        when monthly.code in ('gap', 'month_missing') then 'missing'
        when monthly.code in ('declared_scale', 'clock_change') then 'corrected'
        else 'unreliable'
    end as value_status
from monthly
left join causes
    on
        monthly.site_id = causes.site_id
        and monthly.mode = causes.mode
        and monthly.direction = causes.direction
        and monthly.hour_at = causes.hour_at
