-- Completeness is told of the whole local day, also of one that as_of cuts short.
with

days as (
    select
        site_id,
        mode,
        cast(hour_local as date) as date,
        count(*) as hours,
        cast(sum(count) as bigint) as count,
        count(case when value_status in ('measured', 'corrected') then 1 end) as validated_hours,
        count(case when value_status = 'corrected' then 1 end) as corrected_hours,
        sum(intervals_measured) as intervals_measured,
        sum(intervals_expected) as intervals_expected
    from {{ ref('fct_count_hour') }}
    where direction = 'both'
    group by site_id, mode, cast(hour_local as date)
),

judged as (
    select
        days.site_id,
        days.mode,
        days.date,
        days.count,
        days.intervals_measured,
        days.intervals_expected * dates.hours_in_day / cast(days.hours as double) as intervals_expected,
        case
            when days.count is null then 'missing'
            when days.validated_hours < dates.hours_in_day then 'unreliable'
            when days.corrected_hours > 0 then 'corrected'
            else 'measured'
        end as value_status
    from days
    inner join {{ ref('dim_date') }} as dates on days.date = dates.date
)

select
    site_id,
    mode,
    date,
    count,
    case when value_status in ('measured', 'corrected') then count end as count_validated,
    cast(intervals_measured / intervals_expected as double) as completeness_share,
    value_status
from judged
