-- How far realtime speaks for the timetable: what was told last of every trip counts.
with

told as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        service_date,
        trip_status,
        told_at,
        -- Whoever names no trip names its route and start.
        coalesce(trip_id, concat(route_id, ' ', cast(start_time_s as string)), '') as trip
    from {{ ref('int_realtime_trip_update') }}
),

trips as (
    select
        source_id,
        service_date,
        timetable_source_id,
        trip_status
    from told
    qualify row_number() over (
        partition by source_id, service_date, trip
        order by told_at desc nulls last, snapshot_sha256 asc, record_number asc
    ) = 1
),

days as (
    select
        source_id,
        service_date,
        min(timetable_source_id) as timetable_source_id,
        count(*) as trips_told,
        count(case when trip_status in ('scheduled', 'canceled') then 1 end) as trips_matched,
        count(case when trip_status = 'canceled' then 1 end) as trips_canceled,
        count(case when trip_status = 'unscheduled' then 1 end) as trips_unscheduled,
        count(case when trip_status in ('unknown', 'unnamed', 'not_running') then 1 end) as trips_unmatched,
        count(case when trip_status = 'repeated' then 1 end) as trips_repeated
    from trips
    group by source_id, service_date
),

messages as (
    select
        source_id,
        service_date,
        count(distinct snapshot_sha256) as messages
    from told
    group by source_id, service_date
),

scheduled as (
    select
        trips.source_id,
        dates.service_date,
        count(*) as trips_scheduled
    from {{ ref('int_trip') }} as trips
    inner join {{ ref('int_service_date') }} as dates
        on
            trips.source_id = dates.source_id
            and trips.snapshot_sha256 = dates.snapshot_sha256
            and trips.service_id = dates.service_id
    group by trips.source_id, dates.service_date
),

updates as (
    select
        told.source_id,
        told.service_date,
        count(*) as stop_time_updates,
        count(calls.record_number) as stop_time_updates_matched
    from told
    inner join {{ ref('stg_gtfs_rt_stop_time_update') }} as stops
        on
            told.source_id = stops.source_id
            and told.snapshot_sha256 = stops.snapshot_sha256
            and told.record_number = stops.trip_update_number
    left join {{ ref('int_realtime_call') }} as calls
        on
            stops.source_id = calls.source_id
            and stops.snapshot_sha256 = calls.snapshot_sha256
            and stops.record_number = calls.record_number
    where told.trip_status <> 'canceled'
    group by told.source_id, told.service_date
)

select
    days.source_id,
    days.service_date,
    days.timetable_source_id,
    messages.messages,
    coalesce(scheduled.trips_scheduled, 0) as trips_scheduled,
    days.trips_told,
    days.trips_matched,
    days.trips_canceled,
    days.trips_unscheduled,
    days.trips_unmatched,
    days.trips_repeated,
    cast(days.trips_matched as double) / days.trips_told as match_share,
    cast(days.trips_matched as double) / scheduled.trips_scheduled as scheduled_share,
    coalesce(updates.stop_time_updates, 0) as stop_time_updates,
    coalesce(updates.stop_time_updates_matched, 0) as stop_time_updates_matched
from days
inner join messages
    on
        days.source_id = messages.source_id
        and days.service_date = messages.service_date
left join scheduled
    on
        days.timetable_source_id = scheduled.source_id
        and days.service_date = scheduled.service_date
left join updates
    on
        days.source_id = updates.source_id
        and days.service_date = updates.service_date
