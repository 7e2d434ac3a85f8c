-- DTV, „Durchschnittliche tägliche Verkehrsstärke … (alle Tage, beide Fahrtrichtungen zusammen)“ (Bundesanstalt für
-- Straßenwesen, data description of 27 October 2015): the mean of the year's complete days, and the same of each group
-- of days. Where gaps pile up in one season that mean leans. dtv_balanced does not: "first computes average monthly
-- days of the week. These 84 values (12 months × 7 days) are then averaged" (FHWA, Traffic Monitoring Guide 2022,
-- appendix L, the AASHTO method), but it needs a complete day in each of the 84.
with

calendar as (
    select
        year,
        count(*) as days_in_year,
        count(case when day_group = 'working_day' then 1 end) as working_days_in_year,
        count(case when day_group = 'saturday' then 1 end) as saturdays_in_year,
        count(case when day_group = 'sunday_or_public_holiday' then 1 end) as sundays_in_year
    from {{ ref('int_counting_date') }}
    group by year
),

month_weekdays as (
    select
        days.site_id,
        days.mode,
        days.direction,
        dates.year,
        dates.month,
        dates.weekday,
        sum(days.count) as count,
        sum(days.count_validated) as count_validated,
        count(days.count_validated) as complete_days,
        sum(case when dates.day_group = 'working_day' then days.count_validated end) as count_working_days,
        count(case when dates.day_group = 'working_day' then days.count_validated end) as complete_working_days,
        sum(case when dates.day_group = 'saturday' then days.count_validated end) as count_saturdays,
        count(case when dates.day_group = 'saturday' then days.count_validated end) as complete_saturdays,
        sum(case when dates.day_group = 'sunday_or_public_holiday' then days.count_validated end) as count_sundays,
        count(case when dates.day_group = 'sunday_or_public_holiday' then days.count_validated end) as complete_sundays
    from {{ ref('mart_traffic_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    group by days.site_id, days.mode, days.direction, dates.year, dates.month, dates.weekday
),

years as (
    select
        site_id,
        mode,
        direction,
        year,
        sum(count) as count,
        sum(count_validated) as count_validated,
        sum(complete_days) as complete_days,
        sum(count_working_days) as count_working_days,
        sum(complete_working_days) as complete_working_days,
        sum(count_saturdays) as count_saturdays,
        sum(complete_saturdays) as complete_saturdays,
        sum(count_sundays) as count_sundays,
        sum(complete_sundays) as complete_sundays,
        count(case when complete_days > 0 then 1 end) as month_weekdays,
        -- Decimals, for a sum of floating point numbers depends on its order.
        sum(cast(count_validated / cast(complete_days as double) as decimal(18, 6))) as sum_of_means
    from month_weekdays
    group by site_id, mode, direction, year
),

judged as (
    select
        years.site_id,
        years.mode,
        years.direction,
        years.year,
        years.count,
        years.count_validated,
        years.complete_days,
        years.count_working_days,
        years.complete_working_days,
        years.count_saturdays,
        years.complete_saturdays,
        years.count_sundays,
        years.complete_sundays,
        years.month_weekdays,
        years.sum_of_means,
        calendar.days_in_year,
        calendar.working_days_in_year,
        years.complete_days >= {{ var('traffic_min_complete_share') }} * calendar.days_in_year as is_enough,
        years.complete_working_days >= {{ var('traffic_min_complete_share') }} * calendar.working_days_in_year
            as is_enough_working_days,
        years.complete_saturdays >= {{ var('traffic_min_complete_share') }} * calendar.saturdays_in_year
            as is_enough_saturdays,
        years.complete_sundays >= {{ var('traffic_min_complete_share') }} * calendar.sundays_in_year
            as is_enough_sundays
    from years
    inner join calendar on years.year = calendar.year
)

select
    site_id,
    mode,
    direction,
    year,
    cast(count as bigint) as count,
    cast(case when is_enough then count_validated end as bigint) as count_validated,
    case when is_enough then count_validated / cast(complete_days as double) end as dtv,
    case when is_enough and month_weekdays = 84 then cast(sum_of_means as double) / 84 end as dtv_balanced,
    case when is_enough and is_enough_working_days then count_working_days / cast(complete_working_days as double) end
        as dtv_working_days,
    case when is_enough and is_enough_saturdays then count_saturdays / cast(complete_saturdays as double) end
        as dtv_saturdays,
    case when is_enough and is_enough_sundays then count_sundays / cast(complete_sundays as double) end
        as dtv_sundays_and_holidays,
    cast(complete_days as integer) as complete_days,
    cast(days_in_year as integer) as days_in_year,
    cast(complete_working_days as integer) as complete_working_days,
    cast(working_days_in_year as integer) as working_days_in_year,
    complete_days / cast(days_in_year as double) as completeness_share,
    year = cast(extract(year from {{ as_of_date() }}) as integer) as is_running,
    case
        when complete_days = 0 then 'no_complete_day'
        when not is_enough then 'too_few_complete_days'
        when not (is_enough_working_days and is_enough_saturdays and is_enough_sundays)
            then 'too_few_complete_days_of_a_group'
        when month_weekdays < 84 then 'month_weekday_without_complete_day'
    end as reason
from judged
