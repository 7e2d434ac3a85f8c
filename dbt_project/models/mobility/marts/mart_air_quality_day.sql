-- The legal statistics of a day. What is told as a mean of the 24 hours that end with an hour is the day's mean where
-- that hour ends at midnight; the mean of 24 such means would reach two days back. A mean of hours needs 18 of 24, a
-- mean of eight hours six of them, the highest one of a day 18 such means (75 %: 39. BImSchV Anlage 11 A and Anlage 7
-- A, Directive 2008/50/EC Annex XI A and Annex VII A). A mean of eight hours belongs to the day in which it ends, so
-- the first one of a day reaches back to 17 o'clock.
with

only_areas as (
    select
        source_id,
        min(ags) as ags
    from {{ ref('stg_source_coverage') }}
    group by source_id
    having count(distinct ags) = 1
),

hours as (
    select
        source_id,
        station_id,
        station_name,
        component,
        averaging,
        date,
        hour_of_day,
        value_ug_m3,
        is_ever_measured,
        sum(value_ug_m3) over (
            partition by station_id, component
            order by date asc, hour_of_day asc
            rows between 7 preceding and current row
        ) as eight_hours_sum,
        count(value_ug_m3) over (
            partition by station_id, component
            order by date asc, hour_of_day asc
            rows between 7 preceding and current row
        ) as eight_hours_count
    from {{ ref('int_air_quality_hour') }}
),

means as (
    select
        source_id,
        station_id,
        station_name,
        component,
        averaging,
        date,
        hour_of_day,
        value_ug_m3,
        is_ever_measured,
        case
            when component = 'o3' and averaging = 'hour' and eight_hours_count >= 6
                then cast(eight_hours_sum as double) / eight_hours_count
        end as eight_hour_mean
    from hours
),

days as (
    select
        min(source_id) as source_id,
        station_id,
        max(station_name) as station_name,
        component,
        min(averaging) as averaging,
        date,
        max(case when is_ever_measured then 1 else 0 end) as is_ever_measured,
        cast(count(value_ug_m3) as integer) as hours_measured,
        cast(sum(value_ug_m3) as double) / nullif(count(value_ug_m3), 0) as mean_of_values,
        cast(max(value_ug_m3) as double) as max_of_values,
        cast(max(case when hour_of_day = 23 then value_ug_m3 end) as double) as mean_at_midnight,
        count(eight_hour_mean) as eight_hour_means,
        max(eight_hour_mean) as max_eight_hour_mean
    from means
    group by station_id, component, date
),

statistics as (
    select
        source_id,
        station_id,
        station_name,
        component,
        averaging,
        date,
        is_ever_measured,
        hours_measured,
        eight_hour_means,
        case
            when averaging = 'day_floating' then mean_at_midnight
            when hours_measured >= 18 then mean_of_values
        end as mean_ug_m3,
        case when averaging = 'hour' then max_of_values end as max_hour_ug_m3,
        case when eight_hour_means >= 18 then max_eight_hour_mean end as max_8_hour_mean_ug_m3
    from days
),

judged as (
    select
        days.source_id,
        days.station_id,
        days.station_name,
        days.component,
        days.date,
        days.mean_ug_m3,
        days.max_hour_ug_m3,
        days.max_8_hour_mean_ug_m3,
        days.hours_measured,
        limits.limit_ug_m3,
        case limits.statistic
            when 'day_mean' then days.mean_ug_m3 > limits.limit_ug_m3
            when 'max_8_hour_mean' then days.max_8_hour_mean_ug_m3 > limits.limit_ug_m3
            when 'max_hour'
                then
                    case
                        when days.max_hour_ug_m3 > limits.limit_ug_m3 then true
                        when days.hours_measured >= 18 then false
                    end
        end as is_above_limit,
        case
            when days.is_ever_measured = 0 then 'not_measured_here'
            when days.hours_measured = 0 then 'missing'
            when days.mean_ug_m3 is null and days.averaging = 'day_floating' then 'no_mean_at_midnight'
            when days.mean_ug_m3 is null then 'too_few_hours'
            when days.component = 'o3' and days.max_8_hour_mean_ug_m3 is null then 'too_few_8_hour_means'
        end as status_reason
    from statistics as days
    left join {{ ref('air_quality_limit') }} as limits on days.component = limits.component
)

select
    judged.station_id,
    judged.station_name,
    only_areas.ags,
    judged.component,
    judged.date,
    judged.mean_ug_m3,
    judged.max_hour_ug_m3,
    judged.max_8_hour_mean_ug_m3,
    judged.hours_measured,
    judged.limit_ug_m3,
    judged.is_above_limit,
    case
        when judged.status_reason is null then 'measured'
        when judged.status_reason = 'too_few_8_hour_means' then 'unreliable'
        else 'missing'
    end as value_status,
    judged.status_reason
from judged
left join only_areas on judged.source_id = only_areas.source_id
