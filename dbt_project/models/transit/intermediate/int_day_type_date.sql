-- The date that stands for a day type: of those on which the most sources run the first from the day of as_of on, else
-- the last before it. For weekdays Tuesday to Thursday: Monday and Friday have a traffic of their own.
with

source_days as (
    select
        service_date,
        count(distinct source_id) as sources
    from {{ ref('int_service_date') }}
    group by service_date
),

candidates as (
    select
        dates.day_type,
        source_days.service_date,
        source_days.sources,
        case when source_days.service_date >= {{ as_of_date() }} then source_days.service_date end as date_ahead
    from source_days
    inner join {{ ref('dim_date') }} as dates on source_days.service_date = dates.date
    where
        dates.day_type in ('saturday', 'sunday_or_public_holiday')
        or (dates.day_type in ('school_day', 'holiday_weekday') and dates.weekday between 2 and 4)
)

select
    day_type,
    service_date
from candidates
qualify row_number() over (
    partition by day_type
    order by sources desc, date_ahead asc nulls last, service_date desc
) = 1
