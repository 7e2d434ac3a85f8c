-- calendar.txt or calendar_dates.txt may be absent; an exception overrides the week. Of several versions of a feed only
-- the one that speaks on a date counts there.
with

regular as (
    select
        calendar.source_id,
        calendar.snapshot_sha256,
        calendar.service_id,
        dates.date as service_date
    from {{ ref('stg_gtfs_calendar') }} as calendar
    inner join {{ ref('dim_date') }} as dates on dates.date between calendar.start_date and calendar.end_date
    where
        case dates.weekday
            when 1 then calendar.monday
            when 2 then calendar.tuesday
            when 3 then calendar.wednesday
            when 4 then calendar.thursday
            when 5 then calendar.friday
            when 6 then calendar.saturday
            when 7 then calendar.sunday
        end
),

exceptions as (
    select
        source_id,
        snapshot_sha256,
        service_id,
        date as service_date,
        exception_type
    from {{ ref('stg_gtfs_calendar_dates') }}
),

services as (
    select
        regular.source_id,
        regular.snapshot_sha256,
        regular.service_id,
        regular.service_date
    from regular
    left join exceptions as removed
        on
            regular.source_id = removed.source_id
            and regular.snapshot_sha256 = removed.snapshot_sha256
            and regular.service_id = removed.service_id
            and regular.service_date = removed.service_date
            and removed.exception_type = 2
    where removed.service_id is null
    union distinct
    select
        source_id,
        snapshot_sha256,
        service_id,
        service_date
    from exceptions
    where exception_type = 1
)

select
    services.source_id,
    services.snapshot_sha256,
    services.service_id,
    services.service_date
from services
inner join {{ ref('int_feed_date') }} as versions
    on
        services.source_id = versions.source_id
        and services.snapshot_sha256 = versions.snapshot_sha256
        and services.service_date = versions.service_date
