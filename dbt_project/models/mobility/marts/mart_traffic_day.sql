-- A day is validated where each of its hours is, and imputed where the hours that are not have an imputed value.
-- Completeness is told of the whole local day, also of one that as_of cuts short. A day that a file tells as a whole
-- speaks where no hour of it has a value.
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
),

whole_days as (
    select
        days.site_id,
        days.mode,
        days.direction,
        days.date,
        days.count,
        case when coalesce(doubts.value_status, 'measured') in ('measured', 'corrected') then days.count_corrected end
            as count_validated,
        imputed.count_imputed,
        dates.hours_in_day,
        days.channels_measured / cast(days.channels_expected as double) as completeness_share,
        coalesce(doubts.value_status, 'measured') as value_status,
        doubts.code as status_reason
    from {{ ref('int_whole_day') }} as days
    inner join {{ ref('int_counting_date') }} as dates on days.date = dates.date
    left join {{ ref('int_whole_day_doubt') }} as doubts
        on
            days.site_id = doubts.site_id
            and days.mode = doubts.mode
            and days.direction = doubts.direction
            and days.date = doubts.date
    left join {{ ref('int_whole_day_imputed') }} as imputed
        on
            days.site_id = imputed.site_id
            and days.mode = imputed.mode
            and days.direction = imputed.direction
            and days.date = imputed.date
),

told as (
    select
        site_id,
        mode,
        direction,
        date,
        1 as place,
        cast(count as bigint) as count,
        cast(case when validated_hours = hours_in_day then count_validated end as bigint) as count_validated,
        cast(case when filled_hours = hours_in_day then count_filled end as bigint) as count_imputed,
        cast(filled_hours - validated_hours as integer) as hours_imputed,
        cast(intervals_measured / intervals_expected as double) as completeness_share,
        value_status,
        case when value_status <> 'measured' then coalesce(status_reason, 'day_not_over') end as status_reason
    from judged
    union all
    select
        site_id,
        mode,
        direction,
        date,
        2 as place,
        count,
        count_validated,
        coalesce(count_validated, count_imputed) as count_imputed,
        case when count_validated is null and count_imputed is not null then hours_in_day else 0 end as hours_imputed,
        completeness_share,
        value_status,
        status_reason
    from whole_days
)

select
    site_id,
    mode,
    direction,
    date,
    count,
    count_validated,
    count_imputed,
    hours_imputed,
    completeness_share,
    value_status,
    status_reason
from told
qualify row_number() over (
    partition by site_id, mode, direction, date
    order by
        case when count is null then 1 else 0 end asc,
        place asc
) = 1
