-- Of all that was told of a call one telling counts: the last one made within observed_within_s before it, else the
-- first one made after it, else the last one made before. Until the vehicle has called, a message predicts, and the
-- later it does the better; what it tells of calls that are over is a record where it was made soon, and is renewed
-- by some publishers with figures that have nothing to do with the call any more.
-- ("The update can be for both past and future events. The producer is allowed, although not required, to drop past
-- events." GTFS Realtime reference, message StopTimeUpdate.)
with

calls as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        stop_sequence,
        stop_id,
        told_at,
        event,
        scheduled_s,
        scheduled_at,
        arrival_delay_s,
        departure_delay_s,
        delay_s,
        delay_source,
        call_status,
        {{ seconds_between('told_at', add_seconds('scheduled_at', 'coalesce(delay_s, 0)')) }} as ahead_s
    from {{ ref('int_realtime_call') }}
),

counting as (
    select
        source_id,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        stop_sequence,
        stop_id,
        told_at,
        event,
        scheduled_s,
        scheduled_at,
        arrival_delay_s,
        departure_delay_s,
        delay_s,
        delay_source,
        call_status,
        ahead_s
    from calls
    qualify row_number() over (
        partition by source_id, service_date, trip_id, stop_sequence
        order by
            case when call_status in ('no_data', 'implausible') then 1 else 0 end asc,
            case
                when ahead_s between 0 and {{ var('observed_within_s') }} then 0
                when ahead_s < 0 then 1
                else 2
            end asc,
            case when ahead_s < 0 then told_at end asc nulls last,
            told_at desc nulls last,
            snapshot_sha256 asc,
            record_number asc nulls last
    ) = 1
),

judged as (
    select
        source_id,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        stop_sequence,
        stop_id,
        told_at,
        event,
        scheduled_s,
        scheduled_at,
        arrival_delay_s,
        departure_delay_s,
        delay_s,
        delay_source,
        ahead_s,
        case
            when call_status <> 'told' then call_status
            when ahead_s > {{ var('observed_within_s') }} then 'forecast'
            else 'observed'
        end as status
    from counting
)

select
    judged.source_id,
    judged.service_date,
    judged.trip_id,
    judged.stop_sequence,
    judged.timetable_source_id,
    trips.route_id,
    trips.route_name,
    judged.stop_id,
    judged.status,
    judged.event,
    judged.scheduled_s,
    judged.scheduled_at,
    judged.delay_s,
    judged.delay_source,
    judged.arrival_delay_s,
    judged.departure_delay_s,
    judged.told_at,
    judged.ahead_s,
    case
        when judged.status = 'observed'
            then judged.delay_s between -{{ var('on_time_early_s') }} and {{ var('on_time_late_s') }}
    end as is_on_time
from judged
inner join {{ ref('int_trip') }} as trips
    on
        judged.timetable_source_id = trips.source_id
        and judged.timetable_snapshot_sha256 = trips.snapshot_sha256
        and judged.trip_id = trips.trip_id
