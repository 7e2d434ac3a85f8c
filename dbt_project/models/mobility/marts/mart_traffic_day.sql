-- A day is validated where each of its hours is, and imputed where the hours that are not have an imputed value.
-- Completeness is told of the whole local day, also of one that as_of cuts short.
with

hours as (
    select
        site_id,
        mode,
        direction,
        cast(hour_local as date) as date,
        count,
        count_validated,
        coalesce(count_validated, count_imputed) as count_filled,
        intervals_measured,
        intervals_expected,
        value_status,
        status_reason
    from {{ ref('fct_count_hour') }}
),

days as (
    select
        site_id,
        mode,
        direction,
        date,
        count(*) as hours,
        sum(count) as count,
        sum(count_validated) as count_validated,
        count(count_validated) as validated_hours,
        sum(count_filled) as count_filled,
        count(count_filled) as filled_hours,
        count(case when value_status = 'corrected' then 1 end) as corrected_hours,
        sum(intervals_measured) as intervals_measured,
        sum(intervals_expected) as intervals_expected
    from hours
    group by site_id, mode, direction, date
),

-- Of the hours that are not validated; where all are, of those corrected.
reasons as (
    select
        site_id,
        mode,
        direction,
        date,
        status_reason
    from hours
    where status_reason is not null
    group by site_id, mode, direction, date, status_reason
    qualify row_number() over (
        partition by site_id, mode, direction, date
        order by
            count(case when count_validated is null then 1 end) desc,
            count(*) desc,
            status_reason asc
    ) = 1
),

judged as (
    select
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.count,
        days.count_validated,
        days.validated_hours,
        days.count_filled,
        days.filled_hours,
        days.intervals_measured,
        days.intervals_expected * dates.hours_in_day / cast(days.hours as double) as intervals_expected,
        dates.hours_in_day,
        case
            when days.count is null then 'missing'
            when days.validated_hours < dates.hours_in_day then 'unreliable'
            when days.corrected_hours > 0 then 'corrected'
            else 'measured'
        end as value_status,
        reasons.status_reason
    from days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    left join reasons
        on
            days.site_id = reasons.site_id
            and days.mode = reasons.mode
            and days.direction = reasons.direction
            and days.date = reasons.date
)

select
    site_id,
    mode,
    direction,
    date,
    cast(count as bigint) as count,
    cast(case when validated_hours = hours_in_day then count_validated end as bigint) as count_validated,
    cast(case when filled_hours = hours_in_day then count_filled end as bigint) as count_imputed,
    cast(filled_hours - validated_hours as integer) as hours_imputed,
    cast(intervals_measured / intervals_expected as double) as completeness_share,
    value_status,
    case when value_status <> 'measured' then coalesce(status_reason, 'day_not_over') end as status_reason
from judged
