-- What was told of the calls of the timetable: a row per stop time update that belongs to one, and per call of a trip
-- that was told to be cancelled.
--
-- A call is found by its stop_sequence where the timetable has the stop told there, or none is told; else by its
-- stop_id: publishers number stops from 0, or only those that are left (Brest, 2023: 96 % of the updates), and the
-- number alone would name another stop. Of several calls at that stop it is the one whose time in the timetable is
-- nearest to the time told, and none where only a delay is told. A stop that the trip does not have (another platform)
-- is found by its number, unless others of the same trip update show that its numbers are not the timetable's. Delays
-- are not carried on to stops that a message leaves out: what is told once would count many times.
with

trip_updates as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        told_at,
        trip_status
    from {{ ref('int_realtime_trip_update') }}
    where trip_status in ('scheduled', 'canceled')
),

calls as (
    select
        events.source_id,
        events.snapshot_sha256,
        events.trip_id,
        events.stop_sequence,
        events.stop_id,
        coalesce(events.arrival_s, events.departure_s) as arrival_s,
        coalesce(events.departure_s, events.arrival_s) as departure_s,
        events.stop_sequence = trips.last_sequence as is_last
    from {{ ref('int_stop_event') }} as events
    inner join {{ ref('int_trip') }} as trips
        on
            events.source_id = trips.source_id
            and events.snapshot_sha256 = trips.snapshot_sha256
            and events.trip_id = trips.trip_id
),

told as (
    select
        told.source_id,
        told.snapshot_sha256,
        told.record_number,
        told.trip_update_number,
        trip_updates.timetable_source_id,
        trip_updates.timetable_snapshot_sha256,
        trip_updates.trip_id,
        trip_updates.service_date,
        trip_updates.told_at,
        told.stop_sequence,
        told.stop_id,
        told.arrival_delay_s,
        told.arrival_at,
        told.departure_delay_s,
        told.departure_at,
        coalesce(told.schedule_relationship, 'SCHEDULED') as relationship
    from {{ ref('stg_gtfs_rt_stop_time_update') }} as told
    inner join trip_updates
        on
            told.source_id = trip_updates.source_id
            and told.snapshot_sha256 = trip_updates.snapshot_sha256
            and told.trip_update_number = trip_updates.record_number
    where trip_updates.trip_status = 'scheduled'
),

numbered as (
    select
        told.source_id,
        told.snapshot_sha256,
        told.record_number,
        told.trip_update_number,
        calls.stop_sequence,
        told.stop_id is not null as is_stop_told,
        coalesce(told.stop_id = calls.stop_id, true) as is_same_stop
    from told
    inner join calls
        on
            told.timetable_source_id = calls.source_id
            and told.timetable_snapshot_sha256 = calls.snapshot_sha256
            and told.trip_id = calls.trip_id
            and told.stop_sequence = calls.stop_sequence
),

at_stop as (
    select
        told.source_id,
        told.snapshot_sha256,
        told.record_number,
        told.trip_update_number,
        told.stop_sequence as told_sequence,
        calls.stop_sequence,
        abs({{ seconds_between(
            'coalesce(told.departure_at, told.arrival_at)', service_time_at('told.service_date', 'calls.departure_s')
        ) }}) as distance_s,
        count(*) over (partition by told.source_id, told.snapshot_sha256, told.record_number) as candidates
    from told
    inner join calls
        on
            told.timetable_source_id = calls.source_id
            and told.timetable_snapshot_sha256 = calls.snapshot_sha256
            and told.trip_id = calls.trip_id
            and told.stop_id = calls.stop_id
    left join numbered
        on
            told.source_id = numbered.source_id
            and told.snapshot_sha256 = numbered.snapshot_sha256
            and told.record_number = numbered.record_number
            and numbered.is_same_stop
    where numbered.record_number is null
),

by_stop as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        stop_sequence
    from at_stop
    where candidates = 1 or distance_s is not null
    qualify row_number() over (
        partition by source_id, snapshot_sha256, record_number
        order by distance_s asc nulls last, stop_sequence asc
    ) = 1
),

misnumbered as (
    select distinct
        source_id,
        snapshot_sha256,
        trip_update_number
    from at_stop
    where told_sequence is not null
),

found as (
    select
        numbered.source_id,
        numbered.snapshot_sha256,
        numbered.record_number,
        numbered.stop_sequence
    from numbered
    left join misnumbered
        on
            numbered.source_id = misnumbered.source_id
            and numbered.snapshot_sha256 = misnumbered.snapshot_sha256
            and numbered.trip_update_number = misnumbered.trip_update_number
    where misnumbered.trip_update_number is null or (numbered.is_stop_told and numbered.is_same_stop)
    union all
    select
        source_id,
        snapshot_sha256,
        record_number,
        stop_sequence
    from by_stop
),

delays as (
    select
        told.source_id,
        told.snapshot_sha256,
        told.record_number,
        told.timetable_source_id,
        told.timetable_snapshot_sha256,
        told.trip_id,
        told.service_date,
        told.told_at,
        calls.stop_sequence,
        calls.stop_id,
        told.relationship,
        calls.arrival_s,
        calls.departure_s,
        calls.is_last,
        told.arrival_delay_s is not null as is_arrival_delay_told,
        told.departure_delay_s is not null as is_departure_delay_told,
        coalesce(
            told.arrival_delay_s,
            {{ seconds_between(service_time_at('told.service_date', 'calls.arrival_s'), 'told.arrival_at') }}
        ) as arrival_delay_s,
        coalesce(
            told.departure_delay_s,
            {{ seconds_between(service_time_at('told.service_date', 'calls.departure_s'), 'told.departure_at') }}
        ) as departure_delay_s
    from told
    inner join found
        on
            told.source_id = found.source_id
            and told.snapshot_sha256 = found.snapshot_sha256
            and told.record_number = found.record_number
    inner join calls
        on
            told.timetable_source_id = calls.source_id
            and told.timetable_snapshot_sha256 = calls.snapshot_sha256
            and told.trip_id = calls.trip_id
            and found.stop_sequence = calls.stop_sequence
),

-- Passengers wait for departures; at the last stop, and where no departure is told, the arrival counts.
events as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        told_at,
        stop_sequence,
        stop_id,
        relationship,
        arrival_s,
        departure_s,
        arrival_delay_s,
        departure_delay_s,
        is_arrival_delay_told,
        is_departure_delay_told,
        case
            when is_last then arrival_delay_s is not null or departure_delay_s is null
            else arrival_delay_s is not null and departure_delay_s is null
        end as is_arrival
    from delays
),

measured as (
    select
        source_id,
        snapshot_sha256,
        record_number,
        timetable_source_id,
        timetable_snapshot_sha256,
        trip_id,
        service_date,
        told_at,
        stop_sequence,
        stop_id,
        relationship,
        arrival_delay_s,
        departure_delay_s,
        case when is_arrival then 'arrival' else 'departure' end as event,
        case when is_arrival then arrival_s else departure_s end as scheduled_s,
        case when is_arrival then arrival_delay_s else departure_delay_s end as delay_s,
        case
            when case when is_arrival then is_arrival_delay_told else is_departure_delay_told end then 'delay'
            else 'time'
        end as delay_source
    from events
)

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
    {{ service_time_at('service_date', 'scheduled_s') }} as scheduled_at,
    case when relationship = 'SCHEDULED' then arrival_delay_s end as arrival_delay_s,
    case when relationship = 'SCHEDULED' then departure_delay_s end as departure_delay_s,
    case when relationship = 'SCHEDULED' then delay_s end as delay_s,
    case when relationship = 'SCHEDULED' and delay_s is not null then delay_source end as delay_source,
    case
        when relationship = 'SKIPPED' then 'skipped'
        when relationship <> 'SCHEDULED' or delay_s is null or scheduled_s is null then 'no_data'
        when abs(delay_s) > {{ var('delay_limit_s') }} then 'implausible'
        else 'told'
    end as call_status
from measured
union all
select
    trip_updates.source_id,
    trip_updates.snapshot_sha256,
    cast(null as bigint) as record_number,
    trip_updates.timetable_source_id,
    trip_updates.timetable_snapshot_sha256,
    trip_updates.trip_id,
    trip_updates.service_date,
    calls.stop_sequence,
    calls.stop_id,
    trip_updates.told_at,
    case when calls.is_last then 'arrival' else 'departure' end as event,
    case when calls.is_last then calls.arrival_s else calls.departure_s end as scheduled_s,
    {{ service_time_at(
        'trip_updates.service_date', 'case when calls.is_last then calls.arrival_s else calls.departure_s end'
    ) }} as scheduled_at,
    cast(null as integer) as arrival_delay_s,
    cast(null as integer) as departure_delay_s,
    cast(null as integer) as delay_s,
    cast(null as string) as delay_source,
    'canceled' as call_status
from trip_updates
inner join calls
    on
        trip_updates.timetable_source_id = calls.source_id
        and trip_updates.timetable_snapshot_sha256 = calls.snapshot_sha256
        and trip_updates.trip_id = calls.trip_id
where trip_updates.trip_status = 'canceled'
