-- Every trip update with the trip and service date of the timetable that it speaks of.
--
-- Where no start_date is told, the service date is the one on which the trip runs nearest to the first time that the
-- update tells, else to when it was told: a trip update speaks of a trip that runs, has just run or soon will.
with

sources as (
    select
        source_id,
        timetable_source_id
    from {{ ref('stg_source_catalogue') }}
    where timetable_source_id is not null
),

stated as (
    select
        source_id,
        snapshot_sha256,
        trip_update_number,
        min(coalesce(arrival_at, departure_at)) as first_stated_at
    from {{ ref('stg_gtfs_rt_stop_time_update') }}
    group by source_id, snapshot_sha256, trip_update_number
),

updates as (
    select
        told.source_id,
        told.snapshot_sha256,
        told.record_number,
        sources.timetable_source_id,
        told.trip_id,
        told.route_id,
        told.start_date,
        told.start_time_s,
        coalesce(told.trip_schedule_relationship, 'SCHEDULED') as relationship,
        coalesce(told.measured_at, told.feed_at) as told_at,
        coalesce(stated.first_stated_at, told.feed_at, told.measured_at) as reference_at
    from {{ ref('stg_gtfs_rt_trip_update') }} as told
    inner join sources on told.source_id = sources.source_id
    left join stated
        on
            told.source_id = stated.source_id
            and told.snapshot_sha256 = stated.snapshot_sha256
            and told.record_number = stated.trip_update_number
),

dated as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        trip_id,
        start_date,
        reference_at,
        cast({{ instant_to_local('reference_at') }} as date) as reference_date
    from updates
),

frequent_trips as (
    select distinct
        source_id,
        trip_id
    from {{ ref('stg_gtfs_frequencies') }}
),

known_trips as (
    select
        trips.source_id,
        trips.trip_id,
        max(case when frequent_trips.trip_id is null then 0 else 1 end) = 1 as is_repeated
    from {{ ref('int_trip') }} as trips
    left join frequent_trips
        on
            trips.source_id = frequent_trips.source_id
            and trips.trip_id = frequent_trips.trip_id
    group by trips.source_id, trips.trip_id
),

runs as (
    select
        dated.source_id,
        dated.snapshot_sha256,
        dated.record_number,
        dated.reference_at,
        trips.snapshot_sha256 as timetable_snapshot_sha256,
        dates.service_date,
        {{ service_time_at('dates.service_date', 'trips.first_departure_s') }} as begin_at,
        {{ service_time_at('dates.service_date', 'trips.last_arrival_s') }} as end_at
    from dated
    inner join {{ ref('int_trip') }} as trips
        on
            dated.timetable_source_id = trips.source_id
            and dated.trip_id = trips.trip_id
    inner join {{ ref('int_service_date') }} as dates
        on
            trips.source_id = dates.source_id
            and trips.snapshot_sha256 = dates.snapshot_sha256
            and trips.service_id = dates.service_id
            and dates.service_date between
            coalesce(dated.start_date, dated.reference_date - interval 1 day)
            and coalesce(dated.start_date, dated.reference_date + interval 1 day)
),

nearest as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_snapshot_sha256,
        service_date
    from runs
    qualify row_number() over (
        partition by source_id, snapshot_sha256, record_number
        order by
            case
                when reference_at < begin_at then {{ seconds_between('reference_at', 'begin_at') }}
                when reference_at > end_at then {{ seconds_between('end_at', 'reference_at') }}
                else 0
            end asc nulls last,
            service_date asc,
            timetable_snapshot_sha256 asc
    ) = 1
)

select
    updates.source_id,
    updates.snapshot_sha256,
    updates.record_number,
    updates.timetable_source_id,
    nearest.timetable_snapshot_sha256,
    updates.trip_id,
    updates.route_id,
    updates.start_time_s,
    updates.told_at,
    coalesce(nearest.service_date, dated.start_date, dated.reference_date) as service_date,
    case
        when updates.relationship in ('ADDED', 'UNSCHEDULED', 'NEW', 'DUPLICATED', 'REPLACEMENT') then 'unscheduled'
        when updates.trip_id is null then 'unnamed'
        when known_trips.trip_id is null then 'unknown'
        when known_trips.is_repeated then 'repeated'
        when nearest.service_date is null then 'not_running'
        when updates.relationship in ('CANCELED', 'DELETED') then 'canceled'
        else 'scheduled'
    end as trip_status
from updates
inner join dated
    on
        updates.source_id = dated.source_id
        and updates.snapshot_sha256 = dated.snapshot_sha256
        and updates.record_number = dated.record_number
left join known_trips
    on
        updates.timetable_source_id = known_trips.source_id
        and updates.trip_id = known_trips.trip_id
left join nearest
    on
        updates.source_id = nearest.source_id
        and updates.snapshot_sha256 = nearest.snapshot_sha256
        and updates.record_number = nearest.record_number
