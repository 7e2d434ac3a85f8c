-- Validated hours only. A public holiday is no working day whatever its name, so it is left out; so are the two days
-- on which the clock changes, for they lack an hour or have one twice.
with

hours as (
    select
        counts.site_id,
        counts.mode,
        counts.direction,
        dates.year,
        dates.weekday,
        cast(extract(hour from counts.hour_local) as integer) as hour,
        counts.count_validated,
        case when dates.is_school_day then counts.count_validated end as school_day_count
    from {{ ref('fct_count_hour') }} as counts
    inner join {{ ref('int_counting_date') }} as dates on cast(counts.hour_local as date) = dates.date
    where
        counts.count_validated is not null
        and not dates.is_public_holiday
        and dates.hours_in_day = 24
),

profile as (
    select
        site_id,
        mode,
        direction,
        year,
        weekday,
        hour,
        {{ quantile('count_validated', 0.5) }} as median_count,
        sum(count_validated) / cast(count(*) as double) as mean_count,
        sum(school_day_count) / cast(nullif(count(school_day_count), 0) as double) as mean_count_school_days,
        count(*) as days,
        count(school_day_count) as school_days
    from hours
    group by site_id, mode, direction, year, weekday, hour
),

weeks as (
    select
        site_id,
        mode,
        direction,
        year,
        count(*) as hours_of_week,
        -- Decimals, for a sum of floating point numbers depends on its order.
        cast(sum(cast(mean_count as decimal(18, 6))) as double) as mean_week
    from profile
    group by site_id, mode, direction, year
)

select
    profile.site_id,
    profile.mode,
    profile.direction,
    profile.year,
    profile.weekday,
    profile.hour,
    cast((profile.weekday - 1) * 24 + profile.hour + 1 as integer) as hour_of_week,
    cast(profile.median_count as double) as median_count,
    profile.mean_count,
    case when weeks.hours_of_week = 168 then profile.mean_count / nullif(weeks.mean_week, 0) end as share_of_week,
    cast(profile.days as integer) as days,
    profile.mean_count_school_days,
    cast(profile.school_days as integer) as school_days
from profile
inner join weeks
    on
        profile.site_id = weeks.site_id
        and profile.mode = weeks.mode
        and profile.direction = weeks.direction
        and profile.year = weeks.year
