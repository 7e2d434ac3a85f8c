-- A day of an ISO year and the day of the same ISO week and weekday of the year before: both years have the same
-- weekdays at the same time of the year. A pair counts where both days are complete and of one group of days, so that
-- a public holiday that has moved is not compared with a working day.
with

days as (
    select
        days.site_id,
        days.mode,
        dates.iso_year,
        dates.iso_week,
        dates.weekday,
        dates.day_group,
        days.count_validated
    from {{ ref('mart_traffic_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    where days.direction = 'both'
),

years as (
    select distinct
        site_id,
        mode,
        iso_year
    from days
),

pairs as (
    select
        days.site_id,
        days.mode,
        days.iso_year,
        count(*) as compared_days,
        sum(days.count_validated) as count,
        sum(former.count_validated) as former_count
    from days
    inner join days as former
        on
            days.site_id = former.site_id
            and days.mode = former.mode
            and days.iso_year = former.iso_year + 1
            and days.iso_week = former.iso_week
            and days.weekday = former.weekday
            and days.day_group = former.day_group
    where
        days.count_validated is not null
        and former.count_validated is not null
    group by days.site_id, days.mode, days.iso_year
)

select
    years.site_id,
    years.mode,
    years.iso_year as year,
    coalesce(pairs.compared_days, 0) as compared_days,
    pairs.count,
    pairs.former_count
from years
inner join years as former
    on
        years.site_id = former.site_id
        and years.mode = former.mode
        and years.iso_year = former.iso_year + 1
left join pairs
    on
        years.site_id = pairs.site_id
        and years.mode = pairs.mode
        and years.iso_year = pairs.iso_year
