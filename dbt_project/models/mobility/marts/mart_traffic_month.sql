-- Days that are complete speak for the month. Shares of days are compared as products of whole numbers and a decimal,
-- which is exact: 21 of 30 days are 70 %.
with

days_of_month as (
    select
        month,
        count(*) as days_in_month
    from {{ ref('int_counting_date') }}
    group by month
),

months as (
    select
        days.site_id,
        days.mode,
        days.direction,
        dates.month,
        sum(days.count) as count,
        sum(days.count_validated) as count_validated,
        count(days.count_validated) as complete_days
    from {{ ref('mart_traffic_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    group by days.site_id, days.mode, days.direction, dates.month
),

judged as (
    select
        months.site_id,
        months.mode,
        months.direction,
        months.month,
        months.count,
        months.count_validated,
        months.complete_days,
        days_of_month.days_in_month,
        case
            when months.complete_days = 0 then 'no_complete_day'
            when months.complete_days < {{ var('traffic_min_complete_share') }} * days_of_month.days_in_month
                then 'too_few_complete_days'
        end as reason
    from months
    inner join days_of_month on months.month = days_of_month.month
)

select
    site_id,
    mode,
    direction,
    month,
    cast(count as bigint) as count,
    cast(case when reason is null then count_validated end as bigint) as count_validated,
    case when reason is null then count_validated / cast(complete_days as double) end as mean_per_complete_day,
    cast(complete_days as integer) as complete_days,
    cast(days_in_month as integer) as days_in_month,
    complete_days / cast(days_in_month as double) as completeness_share,
    month = {{ as_of_month() }} as is_running,
    reason
from judged
